"""The state that a firm sees is the published main status; a status or an event without a row fails a test."""

import itertools

import pytest

from contracts.declarations.v1 import DECLARATION_EVENTS, InternalFact, MainStatus
from gateway.domain.outcome import MAIN_STATUS, RECEIVED, REFUSED, SHOWN, STATES, Step, state_of, summary

FACTS = {type_.split(".")[3]: payload for type_, payload in DECLARATION_EVENTS.items()}


def test_a_firm_is_shown_every_event_of_a_declaration_but_the_internal_ones() -> None:
    assert set(SHOWN) == {fact for fact, payload in FACTS.items() if not issubclass(payload, InternalFact)}


def test_neither_the_lane_nor_what_partners_said_is_shown_to_a_firm() -> None:
    assert {"routed", "partner_event_noted", "payment_allocated", "case_opened"}.isdisjoint(SHOWN)


def test_every_main_status_has_a_state_shown_to_a_firm() -> None:
    assert set(STATES) == set(MainStatus)


def a_step(fact: str, status: str = "", number: int = 1) -> Step:
    return Step(
        f"D-1/0.{number}", number, fact, "2026-01-05T08:00:00+00:00", details={MAIN_STATUS: status} if status else {}
    )


@pytest.mark.parametrize("status", MainStatus)
def test_the_state_is_the_main_status_of_the_last_event(status: MainStatus) -> None:
    assert state_of([a_step("submitted", "submitted"), a_step("hold_placed", status)]) == STATES[status]


def test_a_firm_never_sees_that_its_declaration_is_under_control() -> None:
    assert "under_control" not in STATES.values()


def test_a_step_does_not_show_the_main_status() -> None:
    shown = summary("D-1", [a_step("submitted", "submitted"), a_step("presented", "assessed")])
    assert shown["state"] == "assessed"
    assert [set(each) for each in shown["steps"]] == [{"fact", "at", "event"}] * 2


LIFE = (
    "submitted",
    "prelodged",
    "accepted",
    "presented",
    "assessed",
    "payment_recorded",
    "released",
    "removed",
    "closed",
)


@pytest.mark.parametrize("bare", list(itertools.product((False, True), repeat=3)))
def test_events_with_and_without_a_main_status_give_the_same_state(bare: tuple[bool, ...]) -> None:
    """Old events without one stay on the topic, and replicas of two releases may publish at the same time."""
    last = "submitted"
    mixed, former = [], []
    for number, fact in enumerate(LIFE):
        last = fact if fact in STATES else last
        mixed.append(a_step(fact, "" if bare[number % 3] else last, number))
        former.append(a_step(fact, number=number))
        assert state_of(mixed) == state_of(former) == last


def test_a_refused_submission_does_not_change_the_state_of_the_current_one() -> None:
    refused = a_step(REFUSED, "released")
    assert state_of([refused]) == REFUSED
    assert state_of([a_step("submitted", "submitted"), refused]) == "submitted"
    assert state_of([]) == RECEIVED
