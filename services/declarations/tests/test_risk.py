"""Lanes: conditions of rules, mandatory lanes, reproduction from stored data, the share of random selection."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from services.declarations.tests.declaration_builders import (
    ARRIVED,
    LAW,
    NOW,
    a_declaration,
    an_item,
    answer,
    lodge,
    run,
)

from chassis.aggregates.codec import dataclass_codec
from declarations.domain.assessment.risk import fraction, inputs, route, seed
from declarations.domain.declaration import Money
from declarations.domain.events import Routed
from declarations.domain.office_day import OfficeDay
from declarations.domain.state import Lane, Routing, State

D = Decimal
TODAY = LAW.calendar.day(NOW)
UNSELECTED = "f" * 16
RULES = LAW.risk


def routed(on: OfficeDay = TODAY, seed_: str = UNSELECTED, **changes) -> Routing:
    return route(inputs(a_declaration(**changes), on), seed_, RULES)


def item(**changes):
    return {"goods": (an_item(**changes),)}


def test_a_plain_declaration_is_green():
    assert (routed().lane, routed().score, routed().hits) == (Lane.GREEN, 0, ())


@pytest.mark.parametrize(
    ("changes", "rule", "lane"),
    [
        (item(commodity_code="930100"), "arms", Lane.RED),
        (item(commodity_code="284410"), "dual-use-nuclear", Lane.RED),
        (item(commodity_code="391510"), "waste-plastics", Lane.YELLOW),
        (item(commodity_code=""), "no-commodity-code", Lane.YELLOW),
        ({"dispatch_country": "RU"}, "origin-differs-from-dispatch", Lane.GREEN),
        (item(commodity_code="610910", price=Money(D(1500), "USD")), "unit-value-clothing", Lane.BLUE),
        (item(commodity_code="847130", price=Money(D(900), "EUR")), "unit-value-machinery", Lane.GREEN),
    ],
)
def test_a_matching_rule_leads_to_its_lane(changes, rule, lane):
    found = routed(**changes)
    assert [hit.rule for hit in found.hits] == [rule]
    assert found.lane is lane


def test_points_add_up():
    found = routed(dispatch_country="RU", **item(commodity_code="610910", price=Money(D(1500), "USD")))
    assert (found.score, found.lane) == (45, Lane.YELLOW)


def test_a_mandatory_lane_applies_whatever_the_score():
    rules = replace(RULES, rules=tuple(replace(rule, points=-100) for rule in RULES.rules))
    found = route(inputs(a_declaration(**item(commodity_code="930100")), TODAY), UNSELECTED, rules)
    assert (found.score, found.lane) == (-100, Lane.RED)


def test_a_rule_applies_only_on_its_days():
    ended = replace(RULES.rules[0], valid_until=TODAY - timedelta(days=1))
    looked_at = inputs(a_declaration(**item(commodity_code="930100")), TODAY)
    assert route(looked_at, UNSELECTED, replace(RULES, rules=(ended,))).lane is Lane.GREEN


def test_a_stored_routing_is_reproducible():
    state, events = run([lodge(a_declaration(dispatch_country="RU")), answer(), ARRIVED], law=LAW)
    told = next(event for event in events if isinstance(event, Routed))
    assert state.routing is not None
    assert route(told.inputs, told.seed, LAW.risk) == state.routing
    assert told.hits


def test_inputs_are_stored_under_valid_field_names_and_older_documents_are_read():
    codec = dataclass_codec(State)
    state, _ = run([lodge(a_declaration()), answer(), ARRIVED], law=LAW)
    assert state.routing is not None
    stored = codec.encode(state)
    assert "item%2E1%2Ecode" in stored["routing"]["inputs"]
    assert not any("." in name for name in stored["routing"]["inputs"])
    before = {**stored, "routing": {**stored["routing"], "inputs": dict(state.routing.inputs)}}
    assert codec.decode(stored) == codec.decode(before) == state


def test_two_percent_are_selected_at_random_and_deterministically():
    chosen = [n for n in range(20_000) if routed_by_id(f"D-{n}").lane is not Lane.GREEN]
    assert 0.017 < len(chosen) / 20_000 < 0.023
    assert all(routed_by_id(f"D-{n}").lane is Lane.YELLOW for n in chosen)


PLAIN = inputs(a_declaration(), TODAY)


def routed_by_id(declaration_id: str) -> Routing:
    return route(PLAIN, seed(declaration_id), RULES)


def test_a_seed_is_a_fraction_below_one():
    assert fraction("0" * 16) == 0
    assert fraction(UNSELECTED) < 1
