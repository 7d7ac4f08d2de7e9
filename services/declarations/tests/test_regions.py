"""Regions are rows: the guard and the announcements follow from the table, and all of it is published."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from services.declarations.tests.declaration_builders import (
    ARRIVED,
    GATE_IN,
    NOW,
    TOTAL,
    answer,
    lodge,
    names,
    note,
    paid,
    run,
)

from contracts.declarations import v1
from declarations.domain import regions as regions_module
from declarations.domain.claims import Claim, Kind
from declarations.domain.events import Event, HoldPlaced
from declarations.domain.regions import REGIONS, Region, Regions, Term, guard, regions
from declarations.domain.state import CaseReason, State, Status
from trade.declarations.v1 import declarations_pb2 as pb

TERMS = {"accepted", *(region.term.name for region in REGIONS if region.term is not None)}


def test_the_published_guard_has_exactly_the_terms_of_the_regions():
    assert set(v1.Guard.model_fields) == TERMS
    assert {field.name for field in pb.Guard.DESCRIPTOR.fields} == TERMS
    assert set(guard(regions(run([lodge()])[0]))) == TERMS


def test_no_two_regions_share_a_name_or_a_term():
    assert len({region.name for region in REGIONS}) == len(REGIONS)
    assert len(TERMS) == len(REGIONS) + 1


def _of(claims: tuple[Claim, ...], _state: State) -> bool:
    """Whether a claim says that the goods have departed."""
    return any(claim.kind is Kind.DEPARTED for claim in claims)


def _announce(before: Regions, after: Regions, _now: datetime) -> Iterator[Event]:
    if after[TOY] and not before[TOY]:
        yield HoldPlaced("toy")


TOY: Region[bool] = Region(
    "toy",
    _of,
    _announce,
    lambda under_way: {"toy": under_way},
    Term("toy", lambda seen: not seen[TOY], CaseReason.AUDIT),
)


@pytest.fixture
def _with_a_toy(monkeypatch):
    monkeypatch.setattr(regions_module, "REGIONS", (*REGIONS, TOY))


@pytest.mark.usefixtures("_with_a_toy")
def test_an_added_region_is_announced_guards_the_release_and_opens_its_case_afterwards():
    under_way = note(Kind.DEPARTED)
    kept, events = run([lodge(), answer(), under_way, ARRIVED, GATE_IN, paid(TOTAL)])
    assert (kept.status, names(events).count("HoldPlaced")) == (Status.ASSESSED, 1)
    let_go, _ = run([lodge(), answer(), ARRIVED, GATE_IN, paid(TOTAL), note(Kind.DEPARTED, at=NOW + timedelta(days=1))])
    assert (let_go.status, let_go.cases) == (Status.RELEASED, (CaseReason.AUDIT,))
