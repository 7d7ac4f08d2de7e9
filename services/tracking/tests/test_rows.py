"""Rows show no estimate as a fact, no retraction as a report, and no code without a word."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest

from contracts.texts import LANGUAGES
from tracking.domain.entry import Entry
from tracking.domain.timeline import timeline
from tracking.http import address
from tracking.parked import Parked
from tracking.rendering import Pages
from tracking.views import Reader, shipment_view

EntryMaker = Callable[..., Entry]
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
D = "declarations.declaration."
NOTED = D + "partner_event_noted"


def _view(*entries: Entry, language: str = "en", spans: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    reader = Reader(language, ZoneInfo("Asia/Shanghai"), NOW)
    return shipment_view("6CNUCR1", timeline(entries), spans, (), Parked(), reader)


def _texts(*entries: Entry, language: str = "en") -> list[str]:
    return [each["text"] for each in _view(*entries, language=language)["steps"]]


@pytest.mark.parametrize(
    ("classifier", "word"), [("PLN", "Planned"), ("EST", "Expected"), ("XXX", "Not confirmed"), (None, "Not confirmed")]
)
def test_an_estimate_never_reads_as_a_fact(an_entry: EntryMaker, classifier: str | None, word: str) -> None:
    there = {"location": {"unlocode": "CNTAO"}, "publisher": "port-qd", "classifier": classifier}
    (step,) = _view(an_entry("partners.shipment.arrived", **there))["steps"]
    assert step["text"] == f"{word}: arrival at CNTAO (port-qd)"
    assert step["happened_at"] is None
    assert step["expected_at"] is not None


def test_an_actual_event_reads_as_a_fact(an_entry: EntryMaker) -> None:
    there = {"location": {"unlocode": "cn tao"}, "publisher": "port-qd", "classifier": "ACT"}
    (step,) = _view(an_entry("partners.shipment.arrived", **there))["steps"]
    assert (step["text"], step["expected_at"]) == ("Arrived at CNTAO (port-qd)", None)
    assert step["happened_at"]["utc"] == "2026-01-05 08:00:00Z"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_never_says_happened_of_an_estimate(an_entry: EntryMaker, language: str) -> None:
    told = {"zh": "发生", "ru": "Произошло", "en": "Happened"}[language]
    page = _page(an_entry("partners.shipment.arrived", publisher="p", classifier="EST"), language=language)
    assert told not in page
    assert told in _page(an_entry("partners.shipment.arrived", publisher="p", classifier="ACT"), language=language)


def test_a_retraction_does_not_read_as_another_report(an_entry: EntryMaker) -> None:
    back = {"publisher": "port-qd", "submission_id": "p2", "retracts": "p1", "classifier": "ACT"}
    said = an_entry("partners.shipment.gate_out", id="PE-2", **back)
    noted = an_entry(NOTED, id="D/2", kind="shipment.gate_out", **back)
    assert _texts(said) == ["port-qd retracts its report: gate-out"]
    assert _texts(noted) == ["Noted that port-qd retracts its report: gate-out"]


def test_a_report_of_somebody_not_concerned_says_so(an_entry: EntryMaker) -> None:
    (text,) = _texts(an_entry(NOTED, kind="shipment.arrived", publisher="alm", without_effect="not_concerned"))
    assert text == "Report of alm noted: arrival (Reported by a partner that is not concerned; no effect)"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("fact", "payload", "codes"),
    [
        (D + "routed", {"lane": "green"}, ["green"]),
        (D + "case_opened", {"reason": "hold_after_release"}, ["hold_after_release"]),
        (D + "inspection_completed", {"result": "discrepancy"}, []),
        (D + "hold_placed", {"hold": "quarantine"}, []),
        ("notifications.notice.given_up", {"reason": "no_address"}, ["no_address"]),
        ("notifications.notice.created", {"template": "notice.payment_overdue"}, ["notice.", "payment_overdue"]),
        ("matching.listing.withdrawn", {"reason": "party_suspended"}, ["party_suspended"]),
        (NOTED, {"kind": "control.documents_requested"}, ["control.", "documents_requested"]),
    ],
)
def test_reasons_are_words_not_codes(
    an_entry: EntryMaker, language: str, fact: str, payload: dict[str, Any], codes: list[str]
) -> None:
    (text,) = _texts(an_entry(fact, **payload), language=language)
    shown = [code for code in codes if code in text.replace("green lane", "")]
    assert shown == []
    assert "{" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rejection_shows_the_catalogue_s_text_with_field_and_value(an_entry: EntryMaker, language: str) -> None:
    error = {
        "code": "declaration.packages.sum",
        "pointer": "/total_packages",
        "value": "7",
        "parameters": {"sum": "12"},
    }
    view = _view(an_entry(D + "rejected", declaration_id="D-1", errors=[error]), language=language)
    (situation,) = view["situations"]
    (text,) = [each for each in situation["failed"] if "/total_packages" in each]
    assert "declaration.packages.sum" not in text
    assert "12" in text
    assert "7" in text.replace("/total_packages", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_codes_in_the_parameters_of_a_text_are_words_too(an_entry: EntryMaker, language: str) -> None:
    errors = [
        {"code": "declaration.party.unknown", "pointer": "/parties/0", "parameters": {"role": "consignee"}},
        {"code": "declaration.lrn.in_use", "pointer": "/lrn", "parameters": {"status": "under_control"}},
    ]
    (situation,) = _view(an_entry(D + "rejected", declaration_id="D-1", errors=errors), language=language)["situations"]
    told = " ".join(situation["failed"])
    assert "under_control" not in told
    assert ("consignee" in told) == (language == "en")


def test_a_sent_notice_is_not_shown_as_delivered(an_entry: EntryMaker) -> None:
    sent = an_entry("notifications.notice.sent", notice_id="N-1", recipient="R", channel="email", language="zh")
    for language, delivered in (("zh", "送达"), ("ru", "доставлен"), ("en", "delivered")):
        view = _view(sent, language=language)
        said = view["steps"][0]["text"] + view["notices"][0]["state_text"]
        assert delivered not in said.lower()
    assert "已发送" in _texts(sent, language="zh")[0]


def _page(*entries: Entry, language: str = "en", spans: tuple[dict[str, Any], ...] = ()) -> str:
    from starlette.requests import Request  # noqa: PLC0415

    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []})
    view = _view(*entries, language=language, spans=spans)
    reader = Reader(language, ZoneInfo("Asia/Shanghai"), NOW)
    body = Pages(address).answer("shipment.html", request, reader, shipment=view, front=view).body
    return bytes(body).decode()


@pytest.fixture
def played(an_entry: EntryMaker) -> list[Entry]:
    """A shipment with causes of every kind: rows, submissions, own steps, other threads, odd ids, a cycle, none."""
    odd = 'PE "1"/0%2F#1 ü'
    submission = '["partner:port-qd", "/port-qd", "6CN/arrived"]'
    return [
        an_entry(
            "gateway.declaration.submitted", id="R-1", cause='["firm:CN-USCC:1", "content", "x|y"]', subject="R-1"
        ),
        an_entry(id="D-1/0.1", seq=1, cause="R-1"),
        an_entry(D + "prelodged", id="D-1/0.2", seq=2, cause="D-1/registry/1"),
        an_entry("partners.shipment.arrived", id=odd, cause=submission, subject="PE", classifier="ACT"),
        an_entry(D + "accepted", id="D-1/0.3", seq=3, cause=odd),
        an_entry("notifications.notice.created", id="N-1/0.1", cause="D-1/0.3", subject="N-1"),
        an_entry("notifications.notice.sent", id="N-1/0.2", cause="N-1/attempt/1/sent", subject="N-1"),
        an_entry(D + "assessed", id="D-1/0.4", seq=4, cause="D-1/0.4"),
        an_entry(D + "case_opened", id="D-1/0.5", seq=5, cause=""),
        an_entry(D + "closed", id="D-1/0.6", seq=6, cause="D-77/0.3"),
    ]


def test_every_link_of_a_page_leads_to_a_row_or_a_trace_of_that_page(played: list[Entry]) -> None:
    spans = ({"ucr": "6CNUCR1", "trace_id": played[1].trace_id, "started_at": "", "milliseconds": 1, "status": "ok",
              "service": "s", "name": "n"},)  # fmt: skip
    page = _page(*played, spans=spans)
    ids = {html.unescape(each) for each in re.findall(r'id="([^"]*)"', page)}
    links = [unquote(html.unescape(each)) for each in re.findall(r'href="#([^"]*)"', page)]
    assert len(links) == 4
    assert set(links) <= ids


def test_a_cause_without_a_row_is_described_in_words(played: list[Entry]) -> None:
    told = {each["id"]: (each["cause_row"], each["cause_text"]) for each in _view(*played)["steps"]}
    assert told["D-1/0.1"][0] == "R-1"
    assert told["R-1"] == ("", "submission x|y of firm CN-USCC:1 (source content)")
    assert told["D-1/0.2"] == ("", "own step of D-1: registry/1")
    assert told["N-1/0.2"] == ("", "own step of N-1: attempt/1/sent")
    assert told["D-1/0.6"] == ("", "D-77/0.3 (not on this timeline)")
    assert told["D-1/0.5"] == ("", "")


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "The check digit of container CSQU3054384 should be 3"), ("zh", "校验码应为 3"), ("ru", "должна быть 3")],
)
def test_a_container_number_with_a_wrong_check_digit_is_shown_on_the_row_that_reported_it(
    an_entry: EntryMaker, language: str, words: str
) -> None:
    odd = {
        "code": "field.container.check_digit",
        "pointer": "/data/references/container",
        "value": "CSQU3054384",
        "expected": "3",
    }
    said = an_entry("partners.shipment.gate_in", publisher="port-qd", classifier="ACT", receipt={"warnings": [odd]})
    (warning,) = _view(said, language=language)["steps"][0]["warnings"]
    assert words in warning
    assert "/data/references/container" in warning
    assert html.escape(warning) in _page(said, language=language)


def test_warnings_of_a_declaration_are_shown_on_its_row(an_entry: EntryMaker) -> None:
    old = {"code": "declaration.incoterm.old", "pointer": "/incoterm", "value": "DAF", "parameters": {}}
    (step,) = _view(an_entry(D + "submitted", warnings=[old]))["steps"]
    assert [("/incoterm" in each, "DAF" in each) for each in step["warnings"]] == [(True, True)]
    assert _view(an_entry(D + "submitted", warnings="none", receipt=7))["steps"][0]["warnings"] == []
