"""The outcome of a partner's event for each declaration, in words."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from chassis.delivery.records import Event, RawRecord, classify
from chassis.delivery.subscriptions import Delivery
from contracts.declarations.v1 import EVENTS, WithoutEffect
from contracts.envelope import Envelope
from contracts.texts import LANGUAGES, catalogue, text
from gateway.domain.event_outcome import Note, judged, outcomes, status_of
from gateway.domain.receipt import Kind, receipt_id
from gateway.outcomes.partner_events import to_notes
from gateway.outcomes.subscribers import CONSUMED, OutcomeHandler

CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
TYPE = "trade.declarations.declaration.partner_event_noted.v1"
SOURCE = "/port/qingdao"


def noted(sequence: int = 1, declaration: str = "D-1", **fields: Any) -> Event:
    said = {
        "declaration_id": declaration,
        "lrn": "L-1",
        "ucr": "6CN91370200MB2F00QD1X-0001",
        "direction": "import",
        "parties": [],
        "event_id": f"{receipt_id(Kind.EVENT, 'partner:port-qd', SOURCE, 'evt-1')}/0.1",
        "kind": "shipment.gate_in",
        "occurred_at": "2026-01-05T09:00:00+08:00",
        "event_received_at": "2026-01-05T08:00:00Z",
        "publisher": "port-qd",
        "publisher_role": "port",
        "submission_id": "evt-1",
        "submission_source": SOURCE,
        **fields,
    }
    at = datetime.fromisoformat("2026-01-05T08:00:00+00:00")
    head = Envelope(
        f"{declaration}/0.{sequence}", "/trade/declarations", TYPE, at, declaration, sequence, "U", "x", "s"
    )
    value = EVENTS[TYPE].model_validate(said).model_dump_json().encode()
    event = classify(RawRecord("declarations.events.v1", 0, 1, b"U", tuple(head.headers()), value, 0), CONSUMED)
    assert isinstance(event, Event)
    return event


async def read(gateway: Any, *events: Event, lang: str = "en", **told: Any) -> Any:
    """The port's view of its gate-in after these events of declarations."""
    headers = gateway.partner() | CLOUDEVENT
    answer = await gateway.http.post("/v1/events", json=gateway.an_event(**told), headers=headers)
    handler = OutcomeHandler(gateway.outcomes, gateway.event_outcomes)
    for event in events:
        await handler._event_outcomes.note(list(to_notes(event)))
    shown = await gateway.http.get(answer.json()["status_url"], headers=headers | {"Accept-Language": lang})
    return shown.json()


async def test_an_event_waits_for_its_declaration(gateway: Any) -> None:
    shown = await read(gateway)
    assert (shown["status"], shown["outcomes"]) == ("waiting", [])
    assert shown["text"] == text("gateway.outcome.waiting", "en")


async def test_an_applied_event_names_its_declaration(gateway: Any) -> None:
    shown = await read(gateway, noted())
    assert shown["status"] == "applied"
    assert [each["declaration_id"] for each in shown["outcomes"]] == ["D-1"]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_partner_not_concerned_is_told_so(gateway: Any, lang: str) -> None:
    shown = await read(gateway, noted(without_effect="not_concerned"), lang=lang)
    assert shown["status"] == "without_effect"
    (outcome,) = shown["outcomes"]
    assert (outcome["reason"], outcome["text"]) == ("not_concerned", text("effect.not_concerned", lang))


async def test_the_last_note_of_a_declaration_applies(gateway: Any) -> None:
    shown = await read(gateway, noted(5), noted(2, without_effect="not_concerned"))
    assert shown["status"] == "applied"


async def test_a_retracted_event_is_shown_as_retracted(gateway: Any) -> None:
    back = noted(2, event_id="PE-back/0.1", submission_id="back", retracts="evt-1", retracts_source=SOURCE)
    assert (await read(gateway, noted(), back))["status"] == "retracted"


async def test_a_retraction_in_another_source_retracts_nothing(gateway: Any) -> None:
    back = noted(2, event_id="PE-back/0.1", submission_id="back", retracts="evt-1", retracts_source="/port/other")
    assert (await read(gateway, noted(), back))["status"] == "applied"


BACK: dict[str, Any] = {"event_id": f"{receipt_id(Kind.EVENT, 'partner:port-qd', '/port/b', 'back')}/0.1",
        "submission_id": "back", "submission_source": "/port/b", "retracts": "evt-1"}  # fmt: skip


async def read_retraction(gateway: Any, *events: Event, lang: str = "en") -> Any:
    """The port's view of the event that retracts `evt-1`."""
    return await read(gateway, *events, lang=lang, id="back", source="/port/b")


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_retraction_of_nothing_reports_what_was_not_found(gateway: Any, lang: str) -> None:
    own = noted(2, **BACK, retracts_source="/port/b")
    shown = await read_retraction(gateway, noted(), own, lang=lang)
    assert shown["status"] == "without_effect"
    (outcome,) = shown["outcomes"]
    words = text("effect.nothing_taken_back", lang, id="evt-1", source="/port/b")
    assert (outcome["reason"], outcome["text"]) == ("nothing_taken_back", words)
    assert "evt-1" in words and "/port/b" in words


async def test_a_retraction_of_a_noted_event_is_applied(gateway: Any) -> None:
    shown = await read_retraction(gateway, noted(), noted(2, **BACK, retracts_source=SOURCE))
    assert shown["status"] == "applied"


async def test_a_retraction_before_its_event_is_applied_once_the_event_is_noted(gateway: Any) -> None:
    back = noted(1, **BACK, retracts_source=SOURCE)
    assert (await read_retraction(gateway, back))["status"] == "without_effect"
    assert (await read_retraction(gateway, back, noted(2)))["status"] == "applied"


async def test_a_retraction_noted_by_another_declaration_has_no_effect_there(gateway: Any) -> None:
    back = noted(1, "D-2", **BACK, retracts_source=SOURCE)
    assert (await read_retraction(gateway, noted(), back))["status"] == "without_effect"
    shown = await read(gateway, noted(), back)
    assert [(each["declaration_id"], each["status"]) for each in shown["outcomes"]] == [("D-1", "applied")]


async def test_a_payment_noted_by_an_account_can_be_retracted_by_id(gateway: Any) -> None:
    target = receipt_id(Kind.EVENT, "partner:port-qd", SOURCE, "evt-1")
    back = Note("e2", 1, "D-1", "t", takes_back=target)
    assert judged(back, [Note("e1", 1, "", "t")]) == back
    assert judged(replace(back, declaration_id=""), [Note("e1", 1, "D-1", "t")]).reason == ""
    assert judged(back, [Note("e2", 1, "D-1", "t", retraction=True)]).reason == "nothing_taken_back"


async def test_a_planned_event_is_shown_as_an_expectation(gateway: Any) -> None:
    planned = gateway.an_event()["data"] | {"classifier": "PLN"}
    assert (await read(gateway, data=planned))["status"] == "expectation"


async def test_one_handler_stores_facts_for_firms_and_notes_for_partners(gateway: Any) -> None:
    handler = OutcomeHandler(gateway.outcomes, gateway.event_outcomes)
    await handler.apply([Delivery(noted(), "D-1"), Delivery(noted(), "D-1")])
    assert gateway.outcomes.stored == {}
    assert len(gateway.event_outcomes.stored) == 1


def test_an_event_applied_to_any_declaration_counts_as_applied() -> None:
    counts, void = Note("e1", 1, "D-1", "t"), Note("e2", 1, "D-2", "t", reason="not_concerned")
    assert status_of("ACT", outcomes([counts, void])) == "applied"
    assert status_of("ACT", outcomes([void])) == "without_effect"
    assert status_of("", []) == "waiting"


@pytest.mark.parametrize("reason", WithoutEffect)
def test_every_reason_has_a_text(reason: WithoutEffect) -> None:
    assert set(catalogue()[f"effect.{reason}"]) == set(LANGUAGES)
