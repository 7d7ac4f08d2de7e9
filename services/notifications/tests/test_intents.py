"""Who is notified of what: one intent per event, recipient and channel, the same on every run."""

from collections import Counter
from typing import Any

import pytest
from services.notifications.tests.notification_builders import a_party, an_event

from chassis.delivery.records import Event
from contracts.declarations import v1 as declarations
from contracts.texts import LANGUAGES
from contracts.values import PartyRole
from notifications.domain.notice import Channel
from notifications.intents import Intents
from notifications.rendering import render
from notifications.routing import DECLARATION_RULES, MATCH_TEMPLATES, RULES

DECLARANT = "CN-USCC:91370200MA3C0000X1"
IMPORTER = "RU-INN:7707083893"
EXPORTER = "UZ-STIR:123456789"
CARRIER = "KZ-BIN:190540000014"

CNY_10 = {"amount": "10.00", "currency": "CNY"}
CNY_4 = {"amount": "4.00", "currency": "CNY"}
MOMENT = "2026-01-20T16:00:00+08:00"
LINE = {"item": 1, "tax": "duty", "base": "100", "rate": "0.10", "formula": "100 × 10 %", "amount": "10.00"}
ERROR = {"code": "no.such.text", "pointer": "/goods/0/net_mass_kg", "value": "9"}

FACTS: dict[str, dict[str, Any]] = {
    "rejected": {"version": 1, "receipt_id": "R", "rejected_at": MOMENT, "errors": [ERROR]},
    "submission_refused": {"receipt_id": "R", "errors": [ERROR]},
    "accepted": {"number": "422020261000000011", "accepted_at": MOMENT},
    "documents_requested": {"documents": ["invoice"]},
    "inspection_ordered": {"ordered_at": MOMENT},
    "assessed": {"lines": [LINE], "total": CNY_10, "tariff": "t", "assessed_at": MOMENT, "pay_by": MOMENT},
    "payment_recorded": {"status": "short", "paid": CNY_4, "due": CNY_10},
    "payment_reversed": {"status": "short", "paid": CNY_4, "due": CNY_10},
    "payment_overdue": {"pay_by": MOMENT, "paid": CNY_4, "due": CNY_10, "daily_fee": CNY_4},
    "payment_overdue_withdrawn": {"pay_by": MOMENT},
    "released": {
        "released_at": MOMENT,
        "guard": dict.fromkeys(("accepted", "control_done", "no_holds", "money_settled", "presented"), True),
    },
}

intents = Intents("trade.invalid")


def told(event: Event) -> list[str]:
    return sorted({intent.recipient for intent in intents.of(event)})


def side(reference: str, identifier: str) -> dict[str, Any]:
    scheme, _, value = identifier.partition(":")
    return {
        "listing_id": f"L-{reference}",
        "kind": "project",
        "firm": {"scheme": scheme, "value": value},
        "reference": reference,
        "change": 1,
    }


def a_match(**more: Any) -> dict[str, Any]:
    sides = {"match_id": "M-1", "round": 1, "project": side("P-1", DECLARANT), "mandate": side("M-9", IMPORTER)}
    return {"service": "matching", "aggregate": "match"} | sides | more


def test_every_rule_names_a_fact_of_the_contract_and_has_a_test() -> None:
    assert set(DECLARATION_RULES) <= set(declarations.EVENTS)
    assert {rule.fact for rule in RULES} == set(FACTS)


@pytest.mark.parametrize("fact", FACTS)
def test_one_intent_per_recipient_and_channel(fact: str) -> None:
    found = Counter((intent.recipient, intent.channel) for intent in intents.of(an_event(fact, **FACTS[fact])))
    assert found
    assert set(found.values()) == {1}
    assert {channel for _, channel in found} == set(Channel)


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_has_a_text_in_every_language(fact: str, language: str) -> None:
    for intent in intents.of(an_event(fact, **FACTS[fact])):
        rendered = render(intent, language)
        assert rendered.subject
        assert intent.recipient in rendered.body
        assert "{" not in rendered.subject + rendered.body


def ids(event: Event) -> list[str]:
    return [intent.id for intent in intents.of(event)]


def test_the_same_event_gives_the_same_ids() -> None:
    first, again = (an_event("released", event_id="D-1/0.9", **FACTS["released"]) for _ in range(2))
    assert ids(first) == ids(again)
    other = an_event("released", event_id="D-1/0.10", **FACTS["released"])
    assert not set(ids(first)) & set(ids(other))


def test_the_message_id_comes_from_the_notice() -> None:
    for intent in intents.of(an_event("released", **FACTS["released"])):
        assert intent.message_id == f"<{intent.id}@trade.invalid>"


def test_a_release_notifies_declarant_principal_consignee_and_carrier() -> None:
    assert told(an_event("released", **FACTS["released"])) == sorted([DECLARANT, IMPORTER, CARRIER])


def test_a_firm_in_several_roles_is_notified_once() -> None:
    parties = [a_party(role.value, DECLARANT) for role in PartyRole]
    event = an_event("released", parties=parties, **FACTS["released"])
    assert len(intents.of(event)) == len(Channel)


MONEY = ("assessed", "payment_recorded", "payment_reversed", "payment_overdue", "payment_overdue_withdrawn")
"""Facts about a demand for payment or its withdrawal."""


@pytest.mark.parametrize("fact", ("assessed", "payment_recorded", "payment_reversed"))
def test_only_the_payer_is_notified_of_duty(fact: str) -> None:
    parties = [a_party("declarant", DECLARANT), a_party("importer", IMPORTER), a_party("payer", CARRIER)]
    assert told(an_event(fact, parties=parties, **FACTS[fact])) == [CARRIER]


@pytest.mark.parametrize("fact", MONEY)
@pytest.mark.parametrize(("direction", "principal"), [("import", IMPORTER), ("export", EXPORTER)])
def test_without_a_payer_declarant_and_principal_are_notified_and_never_the_other_side(
    fact: str, direction: str, principal: str
) -> None:
    sides = (("declarant", DECLARANT), ("importer", IMPORTER), ("exporter", EXPORTER), ("carrier", CARRIER))
    parties = [a_party(role, identifier) for role, identifier in sides]
    event = an_event(fact, parties=parties, direction=direction, **FACTS[fact])
    assert told(event) == sorted([DECLARANT, principal])


def test_a_duty_notice_shows_the_formula() -> None:
    intent = intents.of(an_event("assessed", **FACTS["assessed"]))[0]
    assert "100 × 10 % = 10.00 CNY" in render(intent, "en").body


def test_nobody_is_notified_of_nothing_due_or_of_a_full_payment() -> None:
    nil = FACTS["assessed"] | {"pay_by": None}
    assert intents.of(an_event("assessed", **nil)) == []
    assert intents.of(an_event("payment_recorded", status="paid", paid=CNY_10, due=CNY_10)) == []


def test_no_notice_mentions_the_lane() -> None:
    assert "trade.declarations.declaration.routed.v1" not in DECLARATION_RULES


def test_long_lists_are_cut_and_counted() -> None:
    event = an_event("rejected", **(FACTS["rejected"] | {"errors": [ERROR] * 100}))
    body = render(intents.of(event)[0], "en").body
    assert body.count("no.such.text") == 40
    assert "60 more" in body


def test_both_sides_of_a_match_are_notified_each_with_its_own_reference() -> None:
    reason = {"code": "no.such.text", "points": 30, "weight": 30}
    found = an_event("found", **a_match(score=77, reasons=[reason], judged_at=MOMENT))
    withdrawn = an_event("withdrawn", **a_match(reason="party_suspended"))
    assert {found.envelope.type, withdrawn.envelope.type} == set(MATCH_TEMPLATES)
    for event in (found, withdrawn):
        references = {intent.recipient: intent.parameters["reference"] for intent in intents.of(event)}
        assert references == {DECLARANT: "P-1", IMPORTER: "M-9"}
        for intent in intents.of(event):
            for language in LANGUAGES:
                assert intent.parameters["reference"] in render(intent, language).body
