"""The life cycle of a declaration: what each command does in each state, and the automatic steps.

    Lodge ──▶ SUBMITTED ──(rules broken, or a party may not act)──▶ REJECTED ──Lodge──▶ SUBMITTED (version n+1)
                  │ the registry answers; while it is unreachable the declaration waits
                  ├──import──▶ PRELODGED ──arrival──▶ ACCEPTED          number and legal date; never taken back
                  │                └──arrival on a day without an exchange rate──▶ REJECTED
                  └──export──────────────────────────▶ ACCEPTED
                                                          │ risk: lane green, blue, yellow or red
                                                          ▼
                                                    UNDER_CONTROL ──control done──▶ ASSESSED   duty, VAT, pay_by
                                                                                       │ release guard
                                                                                       ▼
              CLOSED ◀── REMOVED (import, gate-out) or EXITED (export, exit) ◀────── RELEASED
                       ╳ goods that left before they were released: not closed, customs decides the case

In addition to the main state there are four regions, computed from the claims of partners (`regions`): control
(documents requested and accepted, inspection), holds, money, presence. The only way to RELEASED is the guard
over all of them: accepted, control done, no holds, paid or nothing to pay, presented. Planned and estimated
events do not get here. A retraction recomputes the regions; acceptance is never undone, and after release a
term that fails does not change the state but opens a case.

Goods that leave before release (gate-out of an import, exit of an export) do not change the main state and open
the case `removed_before_release` at once. Control, duties and release continue: the debt remains. After release
the state is REMOVED or EXITED, because the goods are gone, and stays there: CLOSED means that nothing more is
expected, but customs still has to decide the case. It closes only if the departure is retracted and the goods
leave after release.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from declarations.domain.commands import (
    AnswerParties,
    Command,
    CommandOutOfOrder,
    Lodge,
    NoteClaim,
    PassDeadline,
    TakeShare,
)
from declarations.domain.events import Event
from declarations.domain.evolve import evolve
from declarations.domain.law import Law
from declarations.domain.life.acceptance import accept_on_arrival, judge_parties
from declarations.domain.life.control import assess_when_control_is_done, route
from declarations.domain.life.lodging import correct, lodge, refuse_reference_in_use
from declarations.domain.life.payment import pass_deadline, take_share
from declarations.domain.life.release import close, record_departure, release_when_guard_holds
from declarations.domain.life.reports import note_claim
from declarations.domain.regions import Regions, announce, regions
from declarations.domain.state import State, Status

Transition: TypeAlias = Callable[[Any, Any, datetime, Law], Sequence[Event]]
"""(state, command, now, law) → events."""

Step: TypeAlias = Callable[[State, Regions, datetime, Law], Sequence[Event]]
"""(state, its regions, now, law) → events; none while the condition of the step does not hold."""

_UNDER_WAY = tuple(status for status in Status if status is not Status.REJECTED)

TRANSITIONS: dict[tuple[Status | None, type[Command]], Transition] = {
    (None, Lodge): lodge,
    (Status.REJECTED, Lodge): correct,
    **{(status, Lodge): refuse_reference_in_use for status in _UNDER_WAY},
    (Status.SUBMITTED, AnswerParties): judge_parties,
    **{(status, NoteClaim): note_claim for status in Status},
    **{(status, TakeShare): take_share for status in Status},
    **{(status, PassDeadline): pass_deadline for status in Status},
}
"""(state, command) → transition. Any other pair is out of order."""


STEPS: dict[Status, Step] = {
    Status.PRELODGED: accept_on_arrival,
    Status.ACCEPTED: route,
    Status.UNDER_CONTROL: assess_when_control_is_done,
    Status.ASSESSED: release_when_guard_holds,
    Status.RELEASED: record_departure,
    Status.REMOVED: close,
    Status.EXITED: close,
}
"""State → automatic steps, taken as soon as their condition holds."""


def decide(state: State | None, command: Command, *, now: datetime, law: Law) -> tuple[Event, ...]:
    """The events of a command and of all automatic steps after it.

    Raises:
        CommandOutOfOrder: the pair of state and command is not in the table.
    """
    status = state.status if state is not None else None
    transition = TRANSITIONS.get((status, type(command)))
    if transition is None:
        raise CommandOutOfOrder(f"{type(command).__name__} in state {status or 'none'}")
    return tuple(_settle(state, transition(state, command, now, law), now, law))


def _settle(state: State | None, events: Sequence[Event], now: datetime, law: Law) -> Iterator[Event]:
    """The events, the announcements that follow, and the automatic steps, until nothing more follows."""
    seen = regions(state) if state is not None else None
    while events:
        for event in events:
            yield event
            before, state = state, evolve(state, event)
            if before == state:
                continue
            was, seen = seen, regions(state)
            for told in announce(was, seen, now) if was is not None else ():
                yield told
                state = evolve(state, told)
            if state is not seen.state:  # a case was opened
                seen = regions(state)
        step = STEPS.get(state.status) if state is not None else None
        events = step(state, seen, now, law) if step is not None and state is not None and seen is not None else ()
