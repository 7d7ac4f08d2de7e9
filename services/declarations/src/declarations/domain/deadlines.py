"""The deadlines of a declaration, a row each; which of them have passed is a set of names in the state.

The timer fires at the earliest moment of those that still count, once a moment: deadlines of one moment pass together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from declarations.domain.events import DeadlinePassed, PaymentDeadlinePassed
from declarations.domain.state import State, Status


@dataclass(frozen=True, slots=True)
class Deadline:
    """One row of `DEADLINES`."""

    name: str
    moment: Callable[[State], datetime | None]
    """The last moment; None while it is not set."""
    event: Callable[[datetime], DeadlinePassed]
    """The event of its passing, from its moment; carries the same name."""
    counts_in: tuple[Status, ...]
    """Main states in which it can still mean something, the earliest first."""


def _pay_by(state: State) -> datetime | None:
    return state.assessment.pay_by if state.assessment is not None else None


PAYMENT = Deadline(PaymentDeadlinePassed.deadline, _pay_by, PaymentDeadlinePassed, (Status.ASSESSED,))
"""Whether it was met is judged when it passes, by what the door had by then."""

DEADLINES: Mapping[str, Deadline] = {row.name: row for row in (PAYMENT,)}


def due_at(state: State) -> datetime | None:
    """The earliest moment of those that still count."""
    return min((moment for _, moment in _counting(state)), default=None)


def earliest(state: State) -> Deadline | None:
    """The row of that moment."""
    return min(_counting(state), key=lambda each: each[1], default=(None, None))[0]


def pass_by(state: State, moment: datetime) -> list[DeadlinePassed]:
    """The events of all that count and lie at or before a moment, the earliest first."""
    counting = sorted(_counting(state), key=lambda each: each[1])
    return [row.event(at) for row, at in counting if at <= moment]


def _counting(state: State) -> Sequence[tuple[Deadline, datetime]]:
    return [
        (row, moment)
        for row in DEADLINES.values()
        if state.status in row.counts_in
        and row.name not in state.deadlines_passed
        and (moment := row.moment(state)) is not None
    ]
