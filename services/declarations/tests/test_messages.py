"""Contracts and domain have the same names: a field added to one and forgotten in the other fails a test here."""

import json
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from services.declarations.tests.declaration_builders import (
    ARRIVED,
    DOCUMENTS_OK,
    GATE_IN,
    GATE_OUT,
    NOW,
    TOTAL,
    a_claim,
    answer,
    declared_for,
    in_lane,
    lodge,
    note,
    paid,
    run,
)

from contracts.declarations import v1
from contracts.examples import example
from contracts.gateway import v1 as gateway_v1
from contracts.partners import v1 as partners_v1
from declarations.domain import events
from declarations.domain.charges import ChargeCode
from declarations.domain.claims import InspectionResult, Kind
from declarations.domain.declaration import Money
from declarations.domain.evolve import evolve
from declarations.domain.life import decide
from declarations.domain.regions import CONTROL, HOLDS, INFORMATIVE, MONEY, PRESENCE, ControlStatus, regions, summary
from declarations.domain.state import CaseReason, Lane, State, Status
from declarations.messages import EVENT_CLASSES, DeclarationMessages, claim, kind_of
from values.references import TransportDocument

ENVELOPE = set(v1.DeclarationFact.model_fields)
"""The common fields of facts, which the domain's events leave out."""


@pytest.mark.parametrize("type_", v1.DECLARATION_EVENTS)
def test_an_event_and_its_contract_have_the_same_fields(type_):
    payload = v1.DECLARATION_EVENTS[type_]
    published = {name for name in payload.model_fields if name not in ENVELOPE}
    own = {field.name for field in fields(EVENT_CLASSES[type_])} - ENVELOPE
    assert own == published


def test_every_value_of_the_main_status_and_of_the_regions_is_published():
    assert [each.value for each in v1.MainStatus] == [each.value for each in Status]
    assert [each.value for each in v1.MoneyStatus] == [each.value for each in events.MoneyStatus]
    assert {each.value for each in v1.CaseReason} == {each.value for each in CaseReason}
    nothing_awaited = {ControlStatus.NONE, ControlStatus.CONFORM}
    assert {each.value for each in v1.ControlMatter} == {each.value for each in set(ControlStatus) - nothing_awaited}
    assert set(v1.RegionSummary.model_fields) == set(summary(regions(run([lodge()])[0])))


COMMANDS = (
    lodge(declared_for(Lane.YELLOW)), answer(), ARRIVED, note(Kind.HOLD_PLACED, hold="q"), DOCUMENTS_OK, GATE_IN,
    note(Kind.HOLD_LIFTED, hold="q", at=NOW + timedelta(hours=5)), paid(TOTAL), GATE_OUT,
)  # fmt: skip


def test_every_event_has_the_main_status_and_the_regions_after_it():
    state: State | None = None
    for command in COMMANDS:
        for event in decide(state, command, now=NOW, law=in_lane(Lane.YELLOW)):
            state = evolve(state, event)
            type_, data = DeclarationMessages().encode(event, state)
            payload = v1.DECLARATION_EVENTS[type_].model_validate_json(data)
            seen = regions(state)
            told = payload.model_dump(mode="json")
            assert told["main_status"] == state.status.value
            assert told["regions"] == {
                "control": [each.value for each in seen[CONTROL].waits_for],
                "held": bool(seen[HOLDS]),
                "money": seen[MONEY].status.value,
                "overdue": seen[MONEY].overdue,
                "presented": seen[PRESENCE].presented_at is not None,
                "left_unreleased": seen[PRESENCE].left_unreleased,
            }
    assert state is not None
    assert state.status is Status.CLOSED


def test_a_charge_of_every_code_is_read():
    assert {code.value for code in gateway_v1.ChargeCode} == {code.value for code in ChargeCode}


@pytest.mark.parametrize("type_", partners_v1.EVENTS)
def test_every_partner_event_is_read(type_):
    said = partners_v1.EVENTS[type_].model_validate(example(partners_v1.EVENTS[type_]))
    command = claim("PE-1/0.1", type_, said)
    assert command.claim.kind is kind_of(type_)


@pytest.mark.parametrize("type_", partners_v1.EVENTS)
def test_the_published_note_contains_the_whole_claim(type_):
    """A claim is published as `partner_event_noted`, from which the state is rebuilt."""
    said = set(partners_v1.EVENTS[type_].model_fields) - {
        "classifier",
        "references",
        "receipt",
        "received_at",
    }
    assert said <= set(v1.PartnerEventNoted.model_fields)


GOLDEN = Path(__file__).parents[3] / "libs" / "contracts" / "golden" / "payloads"


@pytest.mark.parametrize("type_", v1.DECLARATION_EVENTS)
def test_golden_payloads_are_still_folded(type_):
    """Golden payloads stay as published: a field added later needs a default in the domain too."""
    event = DeclarationMessages().decode(type_, (GOLDEN / f"{type_}.json").read_bytes())
    assert type(event).__name__ == v1.DECLARATION_EVENTS[type_].__name__


def test_a_reference_published_before_normalisation_is_folded_in_normal_form():
    """A rebuild normalises documents from before the normal form existed, so that they are found."""
    name = "trade.declarations.declaration.submitted.v1"
    payload = json.loads((GOLDEN / f"{name}.json").read_bytes())
    payload["declaration"]["transport"] |= {"document": " cosu 6412-345 ", "containers": ["csqu 305438 3"]}
    event = DeclarationMessages().decode(name, json.dumps(payload).encode())
    assert isinstance(event, events.Submitted)
    assert event.declaration.transport.document == TransportDocument("COSU6412-345")
    assert str(event.declaration.transport.document) == "COSU6412-345"
    assert event.declaration.transport.containers == ("CSQU3054383",)


FIRST = {
    Kind.HOLD_LIFTED: Kind.HOLD_PLACED,
    Kind.DOCUMENTS_ACCEPTED: Kind.DOCUMENTS_REQUESTED,
    Kind.PAYMENT_REVERSED: Kind.PAYMENT_CONFIRMED,
}
"""Claims that must precede a kind for it to have effect."""


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_changes_a_region_or_is_listed_as_informative(kind):
    state, _ = run([lodge(), answer(), ARRIVED])
    shared = {
        "amount": Money(Decimal(100), "CNY"),
        "payment_reference": "P-1",
        "hold": "quarantine",
        "documents": ("N380",),
        "publisher": "one",
    }
    before = tuple(a_claim(each, "first", **shared) for each in (FIRST.get(kind),) if each is not None)
    said = a_claim(kind, "then", **shared, result=InspectionResult.DISCREPANCY, at=NOW + timedelta(hours=2))
    without = regions(replace(state, claims=before))
    with_it = regions(replace(state, claims=(*before, said)))
    assert (with_it == without) == (kind in INFORMATIVE)
