"""Deadlines are rows: the earliest is due first, the command has its name, passed ones are a set of names."""

from dataclasses import replace
from datetime import timedelta

import pytest
from services.declarations.tests.declaration_builders import ARRIVED, GATE_IN, LAW, NOW, TOTAL, answer, lodge, paid, run

from chassis.waiting import Passing
from declarations.aggregate import NoDeadline, StateCodec, passing_of
from declarations.domain import deadlines
from declarations.domain.commands import Command, CommandOutOfOrder, PassDeadline
from declarations.domain.deadlines import DEADLINES, PAYMENT, Deadline, PaymentDeadlinePassed
from declarations.domain.evolve import evolve
from declarations.domain.life import decide
from declarations.domain.state import State, Status

ASSESSED: list[Command] = [lodge(), answer(), ARRIVED]
CODEC = StateCodec()


def state_after(*commands) -> State:
    state: State = run([*ASSESSED, *commands])[0]
    return state


def passed(state: State, name: str) -> State:
    for event in decide(state, PassDeadline(name), now=NOW, law=LAW):
        state = evolve(state, event)
    return state


@pytest.mark.parametrize("name", DEADLINES)
def test_a_row_and_the_event_of_its_passing_have_one_name(name):
    assert DEADLINES[name].event(NOW).deadline == name


def another(after: timedelta, *counts_in: Status) -> Deadline:
    """A second row in addition to payment, with a deadline `after` the assessment."""
    return Deadline(
        "other", lambda state: state.assessment.assessed_at + after if state.assessment else None, Other, counts_in
    )


class Other(PaymentDeadlinePassed):
    deadline = "other"


@pytest.mark.parametrize(("after", "first"), [(timedelta(hours=1), "other"), (timedelta(days=90), "payment")])
def test_the_earliest_deadline_that_applies_is_due(monkeypatch, after, first):
    row = another(after, Status.ASSESSED)
    monkeypatch.setattr(deadlines, "DEADLINES", {"payment": PAYMENT, "other": row})
    state = state_after()
    assert deadlines.due_at(state) == deadlines.DEADLINES[first].moment(state)
    assert passing_of(state) == Passing(first, PassDeadline(first))
    then = passed(state, first)
    assert then.deadlines_passed == {first}
    assert passing_of(then).name == ({"payment", "other"} - {first}).pop()


def test_deadlines_with_the_same_time_pass_together(monkeypatch):
    same = Deadline("other", PAYMENT.moment, Other, (Status.ASSESSED,))
    monkeypatch.setattr(deadlines, "DEADLINES", {"payment": PAYMENT, "other": same})
    state = passed(state_after(), "payment")
    assert state.deadlines_passed == {"payment", "other"}
    assert deadlines.due_at(state) is None


def test_a_deadline_applies_only_in_its_own_states(monkeypatch):
    row = another(timedelta(hours=1), Status.RELEASED)
    monkeypatch.setattr(deadlines, "DEADLINES", {"payment": PAYMENT, "other": row})
    assert passing_of(state_after()).name == "payment"
    assert passing_of(state_after(GATE_IN, paid(TOTAL))).name == "other"


def test_nothing_due_has_no_command_and_a_deadline_of_a_later_state_is_out_of_order():
    prelodged = run([lodge(), answer()])[0]
    with pytest.raises(NoDeadline):
        passing_of(prelodged)
    with pytest.raises(CommandOutOfOrder, match="payment"):
        decide(prelodged, PassDeadline("payment"), now=NOW, law=LAW)


def test_a_state_stored_before_deadlines_had_names_is_read():
    after = state_after(PassDeadline("payment"))
    stored = CODEC.encode(after)
    former = {name: value for name, value in stored.items() if name != "deadlines_passed"}
    assert former["deadline_passed"] is True
    assert CODEC.decode(former) == after
    assert CODEC.decode({**former, "deadline_passed": False}) == replace(after, deadlines_passed=frozenset())


@pytest.mark.parametrize("names", [frozenset(), frozenset({"payment"}), frozenset({"other"})])
def test_a_stored_state_has_the_payment_deadline_field_of_the_previous_release(names):
    stored = CODEC.encode(replace(state_after(), deadlines_passed=names))
    assert stored["deadline_passed"] is ("payment" in names)
    assert CODEC.decode(stored).deadlines_passed == names
