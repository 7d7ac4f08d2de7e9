"""Whether goods left before release, when partners' clocks and the platform's differ."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.declarations.tests.declaration_builders import (
    ARRIVED,
    GATE_IN,
    NOW,
    TOTAL,
    a_claim,
    answer,
    export,
    in_lane,
    lodge,
    names,
    paid,
    run,
)

from declarations.domain.claims import Kind
from declarations.domain.commands import Command, NoteClaim
from declarations.domain.evolve import evolve
from declarations.domain.life import decide
from declarations.domain.regions import departures
from declarations.domain.state import CaseReason, Lane, Status
from values.moments import CLOCK_SKEW

SECOND = timedelta(seconds=1)
LEFT = CaseReason.REMOVED_BEFORE_RELEASE
UNPAID: list[Command] = [lodge(), answer(), ARRIVED, GATE_IN]


def gate_out(stamped: timedelta, told: timedelta, kind: Kind = Kind.GATE_OUT) -> NoteClaim:
    """A departure with its timestamp and its time of receipt, both relative to the release."""
    return NoteClaim(a_claim(kind, "out", occurred_at=NOW + stamped, received_at=NOW + told))


def test_a_departure_received_before_release_is_before_it_despite_a_later_timestamp():
    state, events = run([*UNPAID, gate_out(timedelta(minutes=4), -SECOND), paid(TOTAL)])
    assert (state.status, state.cases) == (Status.REMOVED, (LEFT,))
    assert "Closed" not in names(events)


def test_a_departure_received_after_release_is_not_before_it_despite_a_slightly_earlier_timestamp():
    state, _ = run([*UNPAID, paid(TOTAL), gate_out(-20 * SECOND, SECOND)])
    assert (state.status, state.cases) == (Status.CLOSED, ())


@pytest.mark.parametrize(("before", "cases"), [(CLOCK_SKEW, ()), (CLOCK_SKEW + SECOND, (LEFT,))])
def test_a_departure_well_before_release_is_before_it_whenever_it_is_received(before, cases):
    assert run([*UNPAID, paid(TOTAL), gate_out(-before, timedelta(hours=3))])[0].cases == cases


def test_a_departure_received_before_release_and_read_after_it_is_before_it():
    state, _ = run([*UNPAID, paid(TOTAL), gate_out(-2 * SECOND, -SECOND)])
    assert (state.status, state.cases) == (Status.REMOVED, (LEFT,))


def test_a_departure_known_at_release_is_before_it_even_if_the_gateways_clock_is_ahead():
    state, _ = run([*UNPAID, gate_out(SECOND, SECOND), paid(TOTAL)])
    assert (state.status, state.cases) == (Status.REMOVED, (LEFT,))
    assert state.released_at == NOW + SECOND


IMPORT = ([lodge(), answer(), ARRIVED, GATE_IN], paid(TOTAL), Kind.GATE_OUT)
EXPORT = ([lodge(export()), answer()], GATE_IN, Kind.EXIT_CONFIRMED)


@settings(max_examples=200, deadline=None)
@given(
    first=st.sampled_from(["release", "departure"]),
    pause=st.integers(1, 3600),
    skew=st.integers(-int(CLOCK_SKEW.total_seconds()), int(CLOCK_SKEW.total_seconds())),
    way=st.integers(0, 60),
    life=st.sampled_from([IMPORT, EXPORT]),
)
def test_a_departure_reported_at_once_is_a_case_if_and_only_if_it_is_received_before_release(
    first, pause, skew, way, life
):
    """For every clock skew that the gateway tolerates, and any delay between the gateway and declarations."""
    before, releasing, kind = life
    released, other = NOW + timedelta(days=1), timedelta(seconds=pause)
    told = released - other if first == "departure" else released + other
    left = a_claim(kind, "out", occurred_at=told + skew * SECOND, received_at=told)
    steps = sorted([(told + way * SECOND, NoteClaim(left)), (released, releasing)], key=lambda step: step[0])
    state, _ = run(before, law=in_lane(Lane.GREEN))
    for now, command in steps:
        for event in decide(state, command, now=now, law=in_lane(Lane.GREEN)):
            state = evolve(state, event)
    assert [each.event_id for each in departures(state)] == [left.event_id]
    if first == "departure":
        assert (state.status in (Status.REMOVED, Status.EXITED), state.cases) == (True, (LEFT,))
    else:
        assert (state.status, state.cases) == (Status.CLOSED, ())
