"""Addressing: registry is queried in batches, and its absence only delays."""

import pytest
from services.notifications.tests.notification_builders import an_intent
from services.notifications.tests.notification_desk import Desk

from chassis.aggregates import Applied, Duplicate, Input
from chassis.failures import InfrastructureError
from notifications.contacts import Contact
from notifications.domain.life import NoticeUnknown, ResendNotPossible
from notifications.domain.notice import Channel, CreateNotice, Reason, Status
from notifications.handlers import CommandIdTaken, LookUp, resend

DECLARANT = "CN-USCC:91370200MA3C0000X1"
IMPORTER = "RU-INN:7707083893"
STRANGERS = {"CN-USCC:1": "zh", "RU-INN:1": "ru", "KZ-BIN:1": "ru", "IN-PAN:1": "en", "GB-EORI:1": "en"}


async def test_a_redelivered_event_creates_no_second_intent(desk: Desk) -> None:
    intent = an_intent()
    await desk.create(intent)
    outcome = await desk.notices.apply_one(
        Input(intent.id, intent.source_event_id, CreateNotice(intent), "service:declarations")
    )
    assert isinstance(outcome, Duplicate)
    assert desk.outbox.types() == ["trade.notifications.notice.created.v1"]


async def test_an_unreachable_registry_delays_and_loses_nothing(desk: Desk) -> None:
    desk.registry.away = True
    ids = await desk.create(an_intent(), an_intent(Channel.INBOX))
    with pytest.raises(InfrastructureError):
        await desk.look_up()
    assert {(await desk.state(id_)).status for id_ in ids} == {Status.WAITING}
    desk.registry.away = False
    await desk.look_up()
    assert [(await desk.state(id_)).status for id_ in ids] == [Status.READY, Status.SENT]


async def test_a_batch_is_one_query_that_names_each_recipient_once(desk: Desk) -> None:
    await desk.ready(*(an_intent(recipient=each) for each in (DECLARANT, IMPORTER) for _ in range(5)))
    assert desk.registry.asked == [[DECLARANT, IMPORTER]]


async def test_each_recipient_is_notified_in_its_own_language(desk: Desk) -> None:
    ids = await desk.ready(an_intent(Channel.INBOX), an_intent(Channel.INBOX, IMPORTER))
    texts = await desk.texts.load(ids)
    assert [texts[id_].language for id_ in ids] == ["zh", "ru"]
    assert texts[ids[0]].subject.startswith("货物已放行")
    assert texts[ids[1]].subject.startswith("Товар выпущен")


@pytest.mark.parametrize(("recipient", "language"), STRANGERS.items())
async def test_an_unknown_enterprise_reads_its_inbox_in_the_language_of_its_country(
    desk: Desk, recipient: str, language: str
) -> None:
    inbox, mail = await desk.ready(an_intent(Channel.INBOX, recipient), an_intent(Channel.EMAIL, recipient))
    assert (await desk.state(inbox)).status is Status.SENT
    assert (await desk.texts.load([inbox]))[inbox].language == language
    notice = await desk.state(mail)
    assert (notice.status, notice.reason) == (Status.GIVEN_UP, Reason.NO_ADDRESS)


@pytest.mark.parametrize("address", ["a@b.example\r\nBcc: x@y.example", "a@b.example, c@d.example", "nonsense"])
async def test_a_malformed_address_counts_as_none(desk: Desk, address: str) -> None:
    desk.registry.known[DECLARANT] = Contact(address, "zh")
    (id_,) = await desk.ready(an_intent())
    notice = await desk.state(id_)
    assert (notice.status, notice.reason) == (Status.GIVEN_UP, Reason.BAD_ADDRESS)
    assert (await desk.texts.load([id_]))[id_].email == ""


async def test_the_text_is_stored_with_its_version_before_the_notice_is_saved(desk: Desk) -> None:
    (id_,) = await desk.create(an_intent())
    state = await desk.state(id_)
    (input_,) = await LookUp(desk.registry, desk.texts, desk.clock)([state])
    stored = (await desk.texts.load([id_]))[id_]
    assert (await desk.state(id_)).status is Status.WAITING
    # Killed here: the work is repeated after the language has changed; the text stays as it is.
    desk.registry.known[DECLARANT] = Contact("declarant@qingdao.example", "en")
    await desk.look_up()
    notice = await desk.state(id_)
    assert (await desk.texts.load([id_]))[id_] == stored
    assert (notice.language, notice.template_version) == ("zh", stored.template_version)
    assert input_ is not None
    assert isinstance(await desk.notices.apply_one(input_), Duplicate)


async def test_events_contain_no_address_and_no_text(desk: Desk) -> None:
    await desk.ready(an_intent(), an_intent(Channel.INBOX))
    published = "".join(entry["data"] for entry in desk.outbox.published)
    assert "qingdao.example" not in published
    assert "货物已放行" not in published


async def test_a_resend_is_audited_with_its_actor_and_reason_and_counts_once(desk: Desk) -> None:
    desk.registry.known.clear()
    (id_,) = await desk.ready(an_intent())
    asked = {"command_id": "c-1", "notice_id": id_, "reason": "address was entered late", "actor": "staff:li"}
    assert (await resend(desk.notices, **asked)).status is Status.WAITING
    await resend(desk.notices, **asked)
    requests = [each for each in desk.outbox.published if each["type"].endswith("resend_requested.v1")]
    assert [(each["by"], "address was entered late" in each["data"]) for each in requests] == [("staff:li", True)]
    with pytest.raises(CommandIdTaken):
        await resend(desk.notices, **(asked | {"reason": "another"}))
    desk.registry.known[DECLARANT] = Contact("late@qingdao.example", "zh")
    await desk.look_up()
    assert (await desk.state(id_)).status is Status.READY


async def test_a_resend_that_is_not_possible_is_refused(desk: Desk) -> None:
    (inbox,) = await desk.ready(an_intent(Channel.INBOX))
    with pytest.raises(ResendNotPossible):
        await resend(desk.notices, command_id="c", notice_id=inbox, reason="r", actor="staff:li")
    with pytest.raises(NoticeUnknown):
        await resend(desk.notices, command_id="c", notice_id="N-none", reason="r", actor="staff:li")
    assert isinstance(
        await desk.notices.apply_one(Input("N-x", "e", CreateNotice(an_intent()), "service:declarations")), Applied
    )
