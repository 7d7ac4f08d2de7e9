"""A bank's view of a payment that names only a UCR: its shares, that it waits, or why it has no effect."""

from datetime import datetime
from typing import Any

import pytest

from chassis.delivery.records import Event, RawRecord, classify
from chassis.delivery.subscriptions import Delivery
from contracts.declarations.settlement import EVENTS
from contracts.envelope import Envelope
from contracts.texts import LANGUAGES, text
from gateway.domain.receipt import Kind, receipt_id
from gateway.outcomes.subscribers import CONSUMED, OutcomeHandler

CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
BANK, SOURCE, UCR = "bank-qd", "/bank/qingdao", "6CN91370200MB2F00QD1X-0001"
ACCOUNT = "S-d1cf6115108090a4b776"
OWN_REFERENCE = "CCB20261120000871"


def of_account(fact: str, sequence: int, **fields: Any) -> Event:
    type_ = f"trade.declarations.settlement.{fact}.v1"
    at = datetime.fromisoformat("2026-01-05T08:00:00+00:00")
    head = Envelope(f"{ACCOUNT}/0.{sequence}", "/trade/declarations", type_, at, ACCOUNT, sequence, UCR, "x", "s")
    said = {"settlement_id": ACCOUNT, "ucr": UCR, "publisher": BANK, "payment_reference": OWN_REFERENCE, **fields}
    value = EVENTS[type_].model_validate(said).model_dump_json().encode()
    event = classify(RawRecord("declarations.events.v1", 0, 1, UCR.encode(), tuple(head.headers()), value, 0), CONSUMED)
    assert isinstance(event, Event)
    return event


def noted(sequence: int = 1, **fields: Any) -> Event:
    said = {
        "event_id": f"{receipt_id(Kind.EVENT, f'partner:{BANK}', SOURCE, 'pay-1')}/0.1",
        "kind": "payment.confirmed",
        "occurred_at": "2026-01-05T09:00:00+08:00",
        "event_received_at": "2026-01-05T08:00:00Z",
        "publisher_role": "bank",
        "submission_id": "pay-1",
        "submission_source": SOURCE,
        "amount": {"amount": "1000.00", "currency": "CNY"},
    }
    return of_account("report_noted", sequence, **said | fields)


def allocated(sequence: int, declaration: str, amount: str, **fields: Any) -> Event:
    money = {"amount": amount, "currency": "CNY"}
    said = {"declaration_id": declaration, "amount": money, "in_time": amount, "allocation": sequence}
    return of_account("allocated", sequence, allocated_at="2026-01-05T08:00:00Z", **said | fields)


async def read(gateway: Any, *events: Event, lang: str = "en") -> Any:
    """The bank's view of its payment after these events of the account."""
    headers = gateway.partner(BANK, "bank") | CLOUDEVENT
    data = {
        "references": {"ucr": UCR},
        "classifier": "ACT",
        "occurred_at": "2026-01-05T09:00:00+08:00",
        "amount": {"amount": "1000.00", "currency": "CNY"},
        "payment_reference": OWN_REFERENCE,
    }
    told = gateway.an_event(id="pay-1", source=SOURCE, type="trade.partners.payment.confirmed.v1", data=data)
    answer = await gateway.http.post("/v1/events", json=told, headers=headers)
    assert answer.status_code == 202, answer.text
    handler = OutcomeHandler(gateway.outcomes, gateway.event_outcomes)
    targets = await handler.targets(events)
    await handler.apply([Delivery(event, target) for event, (target,) in zip(events, targets, strict=True)])
    shown = await gateway.http.get(answer.json()["status_url"], headers=headers | {"Accept-Language": lang})
    return shown.json()


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_payment_without_an_assessment_waits_and_says_for_what(gateway: Any, lang: str) -> None:
    shown = await read(gateway, noted(), lang=lang)
    assert (shown["status"], shown["text"]) == ("waiting", text("gateway.outcome.money_waits", lang))
    assert [each["text"] for each in shown["outcomes"]] == [shown["text"]]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_bank_sees_the_share_of_each_declaration(gateway: Any, lang: str) -> None:
    shown = await read(gateway, noted(), allocated(3, "D-2", "300.00"), allocated(2, "D-1", "700.00"), lang=lang)
    assert shown["status"] == "applied"
    assert [(each["declaration_id"], each["amount"]["amount"]) for each in shown["outcomes"]] == [
        ("D-1", "700.00"),
        ("D-2", "300.00"),
    ]
    assert shown["outcomes"][0]["text"] == text("gateway.outcome.share", lang, amount="700.00 CNY")


async def test_the_last_share_applies_whatever_the_order_of_arrival(gateway: Any) -> None:
    shown = await read(gateway, noted(), allocated(4, "D-1", "100.00"), allocated(2, "D-1", "700.00"))
    assert [each["amount"]["amount"] for each in shown["outcomes"]] == ["100.00"]


async def test_a_share_of_another_payment_is_not_shown(gateway: Any) -> None:
    shown = await read(gateway, noted(), allocated(2, "D-1", "700.00", payment_reference="ANOTHER"))
    assert shown["status"] == "waiting"


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_payment_in_another_currency_shows_what_is_owed(gateway: Any, lang: str) -> None:
    owed = {"owed": "CNY", "paid": "USD"}
    wrong = noted(2, without_effect="payment_currency", effect_parameters=owed)
    shown = await read(gateway, noted(), wrong, lang=lang)
    assert shown["status"] == "without_effect"
    assert [each["text"] for each in shown["outcomes"]] == [text("effect.payment_currency", lang, **owed)]


async def test_a_retracted_payment_is_shown_as_retracted_despite_its_shares(gateway: Any) -> None:
    back = noted(3, event_id="PE-back/0.1", submission_id="back", retracts="pay-1", amount=None)
    shown = await read(gateway, noted(), allocated(2, "D-1", "700.00"), back, allocated(4, "D-1", "0.00"))
    assert shown["status"] == "retracted"


async def test_a_report_noted_by_its_declaration_has_only_that_outcome(gateway: Any) -> None:
    shown = await read(gateway, noted(declaration_id="D-1"))
    assert (shown["status"], shown["outcomes"]) == ("waiting", [])
