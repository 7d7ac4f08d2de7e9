"""Mail to a real SMTP server: its content, header injection, and the meaning of each refusal."""

import asyncio
import socket
import time
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from services.notifications.tests.notification_builders import an_intent
from services.notifications.tests.receiving_mail import Inboxes

from chassis.testing import eventually
from chassis.waiting import NotTaken, Taken
from notifications import smtp_connections
from notifications.address import parse_address, route_of
from notifications.domain.notice import Channel, Failure, Reason
from notifications.mail import Mail, SmtpPost, compose
from notifications.rendering import choose_language, clean, render, version
from notifications.settings import NotificationsSettings, SmtpSettings

LONGEST_LINE = 998
"""RFC 5322, 2.1.1."""


def a_mail(**overrides: Any) -> Mail:
    fields: dict[str, Any] = {
        "message_id": "<N-1@trade.invalid>",
        "to": "importer@moscow.example",
        "subject": "Товар выпущен: 6CN1",
        "body": "货物已放行\nТовар выпущен\n.\nend\n",
        "language": "ru",
        "written_at": datetime(2026, 1, 5, 8, tzinfo=UTC),
    }
    return Mail(**(fields | overrides))


def post_to(port: int, seconds: float = 5.0, **settings: Any) -> SmtpPost:
    return SmtpPost(SmtpSettings(host="127.0.0.1", port=port, **settings), attempt_seconds=seconds)


async def test_a_mail_arrives_with_its_headers_and_its_text(inboxes: Inboxes) -> None:
    assert await post_to(inboxes.port).hand_over(a_mail()) == Taken()
    (message,) = inboxes.taken
    assert message["Message-ID"] == "<N-1@trade.invalid>"
    assert message["Subject"] == "Товар выпущен: 6CN1"
    assert message["To"] == "importer@moscow.example"
    assert message["From"] == "notices@trade.invalid"
    assert message["Date"].datetime == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "ru"
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    assert message.get_content().splitlines() == ["货物已放行", "Товар выпущен", ".", "end"]
    assert inboxes.recipients == ["importer@moscow.example"]


async def test_a_repeat_carries_the_same_message_id(inboxes: Inboxes) -> None:
    for _ in range(2):
        await post_to(inboxes.port).hand_over(a_mail())
    assert [message["Message-ID"] for message in inboxes.taken] == ["<N-1@trade.invalid>"] * 2


@pytest.mark.parametrize("field", ["subject", "message_id", "language"])
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028"])
def test_no_header_value_can_begin_another_header(field: str, ending: str) -> None:
    for hostile in (f"x{ending}Bcc: thief@example.com", f"x{ending}", f"{ending}x"):
        with pytest.raises(ValueError, match="holds a line break"):
            compose(a_mail(**{field: hostile}), "notices@trade.invalid")


@pytest.mark.parametrize(
    "subject", ["", "x" * 300, "Товар выпущен " * 30, "货物" * 200, "=?utf-8?q?not_encoded?= ?=", "a: b"]
)
def test_every_subject_arrives_as_it_was_written_in_lines_of_ascii(subject: str) -> None:
    composed = compose(a_mail(subject=subject), "notices@trade.invalid")
    message = message_from_bytes(composed, policy=policy.default)
    assert message["Subject"].replace(" ", "") == subject.replace(" ", "")
    assert composed.isascii()
    assert max(map(len, composed.split(b"\r\n"))) <= LONGEST_LINE
    assert b"\n" not in composed.replace(b"\r\n", b"")


def test_hostile_values_become_one_line_of_text() -> None:
    hostile = "6CN1\r\nBcc: thief@example.com\u2028\u202e{0.__class__}\x00"
    intent = an_intent(parameters={"ucr": hostile, "lrn": hostile, "declaration_number": hostile})
    for language in ("zh", "ru", "en"):
        rendered = render(intent, language)
        assert len(rendered.subject.splitlines()) == 1
        assert not set("\r\n\u2028\u202e\x00") & set(rendered.subject)
        assert "\nBcc" not in rendered.body
        assert "{0.__class__}" in rendered.subject
        assert b"\nBcc" not in compose(a_mail(subject=rendered.subject), "a@b.example")


def test_long_values_are_cut() -> None:
    assert len(clean("x" * 10_000)) < 310


@pytest.mark.parametrize(
    "address",
    [
        "",
        "plain",
        "@example.com",
        "a@",
        "a@b@c.example",
        "a b@example.com",
        "a@example.com\r\nBcc: x@example.com",
        "a@example.com, b@example.com",
        "A <a@example.com>",
        "a@exa mple.com",
        "a@-example.com",
        "a@example..com",
        "почта@example.com",
        f"{'x' * 65}@example.com",
        f"a@{'x' * 300}.com",
    ],
)
def test_anything_but_one_plain_address_is_refused(address: str) -> None:
    assert parse_address(address) is None


def test_addresses_are_read_and_domains_made_ascii() -> None:
    assert parse_address(" a.b+c@Example.COM ") == "a.b+c@example.com"
    assert parse_address("a@почта.рф") == "a@xn--80a1acny.xn--p1ai"
    assert route_of("a@example.com") == route_of("b@example.com") != route_of("a@example.org")


async def test_a_refused_recipient_is_final(inboxes: Inboxes) -> None:
    inboxes.answer_rcpt["importer@moscow.example"] = "550 no such user"
    assert await post_to(inboxes.port).hand_over(a_mail()) == NotTaken(Failure(Reason.REFUSED, 550), final=True)


async def test_a_refused_message_is_final(inboxes: Inboxes) -> None:
    inboxes.answer_data = "554 not wanted"
    assert await post_to(inboxes.port).hand_over(a_mail()) == NotTaken(Failure(Reason.REFUSED, 554), final=True)


async def test_a_deferral_is_not_final(inboxes: Inboxes) -> None:
    inboxes.answer_rcpt["importer@moscow.example"] = "451 try later"
    assert await post_to(inboxes.port).hand_over(a_mail()) == NotTaken(Failure(Reason.DEFERRED, 451))


async def test_a_refused_login_is_retried(inboxes: Inboxes) -> None:
    post = post_to(inboxes.port, username="us", password="wrong")
    outcome = await post.hand_over(a_mail())
    assert isinstance(outcome, NotTaken)
    assert not outcome.final


async def test_an_unreachable_server_is_retried() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        post = post_to(nobody.getsockname()[1])
        assert await post.hand_over(a_mail()) == NotTaken(Failure(Reason.SERVER_AWAY))


async def test_a_server_that_never_answers_is_abandoned_at_the_time_limit() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        began = time.monotonic()
        outcome = await post_to(server.sockets[0].getsockname()[1], seconds=0.3).hand_over(a_mail())
        assert time.monotonic() - began < 3
    assert outcome == NotTaken(Failure(Reason.TIMED_OUT))


def test_the_language_is_the_recipients_then_its_countrys_then_english() -> None:
    assert choose_language("ru", "CN-USCC:1") == "ru"
    assert choose_language("tg", "CN-USCC:1") == "zh"
    assert choose_language("", "KZ-BIN:1") == "ru"
    assert choose_language("", "IN-PAN:1") == "en"


def test_the_version_changes_with_the_template() -> None:
    assert version(an_intent()) == version(an_intent(channel=Channel.INBOX))
    assert version(an_intent()) != version(an_intent(template="notice.accepted"))


def test_the_mail_password_is_masked_and_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HOST": "mail.example",
        "PORT": "2525",
        "FROM": "post@platform.example",
        "USERNAME": "us",
        "PASSWORD": "geheim",
        "STARTTLS": "true",
    }.items():
        monkeypatch.setenv(f"TRADE_SMTP__{name}", value)
    settings = NotificationsSettings(environment="development")
    assert (settings.smtp.host, settings.smtp.port, settings.smtp.starttls) == ("mail.example", 2525, True)
    assert (settings.smtp.sender, settings.smtp.domain) == ("post@platform.example", "platform.example")
    assert "geheim" not in f"{settings!r} {settings.model_dump(mode='json')}"


async def test_one_connection_takes_one_mail_after_another(inboxes: Inboxes) -> None:
    post = post_to(inboxes.port)
    for number in range(5):
        assert await post.hand_over(a_mail(message_id=f"<N-{number}@trade.invalid>")) == Taken()
    assert [message["Message-ID"] for message in inboxes.taken] == [
        f"<N-{number}@trade.invalid>" for number in range(5)
    ]
    assert inboxes.greeted == 1


async def test_mails_at_once_have_a_connection_each(inboxes: Inboxes) -> None:
    post = post_to(inboxes.port)
    answers = await asyncio.gather(*(post.hand_over(a_mail()) for _ in range(3)))
    assert answers == [Taken()] * 3
    assert inboxes.greeted == 3


async def test_a_connection_that_met_a_refusal_takes_no_further_mail(inboxes: Inboxes) -> None:
    post = post_to(inboxes.port)
    inboxes.answer_rcpt["importer@moscow.example"] = "550 no such user"
    assert isinstance(await post.hand_over(a_mail()), NotTaken)
    inboxes.answer_rcpt.clear()
    assert await post.hand_over(a_mail()) == Taken()
    assert inboxes.greeted == 2


async def test_a_connection_is_closed_after_so_many_mails(inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_connections, "MAILS", 2)
    post = post_to(inboxes.port)
    for _ in range(5):
        assert await post.hand_over(a_mail()) == Taken()
    assert inboxes.greeted == 3


async def test_a_connection_that_the_server_closed_costs_no_attempt(
    inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_connections, "FRESH_SECONDS", 0.0)
    post = post_to(inboxes.port)
    assert await post.hand_over(a_mail()) == Taken()
    for transport in inboxes.transports:
        transport.abort()
    assert await post.hand_over(a_mail()) == Taken()
    assert inboxes.greeted == 2


async def test_a_connection_without_mails_is_closed(inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_connections, "IDLE_SECONDS", 0.05)
    post = post_to(inboxes.port)
    assert await post.hand_over(a_mail()) == Taken()

    async def closed() -> bool:
        return all(transport.is_closing() for transport in inboxes.transports)

    assert not await closed()
    await eventually(closed, within_seconds=5, every_seconds=0.01)
