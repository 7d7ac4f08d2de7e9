"""The deadlines of a declaration, one row each. The state has the set of names of those that have passed.

The timer fires at the earliest time of those that still apply, and once for each time: deadlines with the same time
pass together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from declarations.domain.events import DeadlinePassed
from declarations.domain.state import State, Status


class PassingEvent(Protocol):
    """The class of the event of a deadline's passing, made from the time of the deadline."""

    __name__: str
    """The same as the name of its contract."""

    def __call__(self, moment: datetime, /) -> DeadlinePassed: ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """One row of `DEADLINES`."""

    name: str
    moment: Callable[[State], datetime | None]
    """The time of the deadline; None while it is not set."""
    event: PassingEvent
    """The event of its passing; the event has the same name."""
    counts_in: tuple[Status, ...]
    """Main states in which it applies, the earliest first."""


@dataclass(frozen=True, slots=True)
class PaymentDeadlinePassed(DeadlinePassed):
    deadline: ClassVar[str] = "payment"
    pay_by: datetime


def _pay_by(state: State) -> datetime | None:
    return state.assessment.pay_by if state.assessment is not None else None


PAYMENT = Deadline(PaymentDeadlinePassed.deadline, _pay_by, PaymentDeadlinePassed, (Status.ASSESSED,))
"""Whether it was met is decided when it passes, by the payments that the gateway had received by then."""

DEADLINES: Mapping[str, Deadline] = {row.name: row for row in (PAYMENT,)}


def due_at(state: State) -> datetime | None:
    """The earliest time of the deadlines that still apply; None if there is none."""
    return min((moment for _, moment in _counting(state)), default=None)


def earliest(state: State) -> Deadline | None:
    """The row with that time."""
    return min(_counting(state), key=lambda each: each[1], default=(None, None))[0]


def pass_by(state: State, moment: datetime) -> list[DeadlinePassed]:
    """The events of all deadlines that apply and are due at `moment`, the earliest first."""
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
