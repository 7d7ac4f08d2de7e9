"""Release of the goods, their departure, and closing."""

from collections.abc import Sequence
from datetime import datetime

from declarations.domain.declaration import Direction
from declarations.domain.events import CaseOpened, Closed, Event, Exited, Released, Removed
from declarations.domain.law import Law
from declarations.domain.regions import PRESENCE, Regions, departures, guard
from declarations.domain.state import CaseReason, Lane, State


def release_when_guard_holds(state: State, seen: Regions, now: datetime, _law: Law) -> Sequence[Event]:
    terms = guard(seen)
    if not all(terms.values()):
        return ()
    audited = state.routing is not None and state.routing.lane is Lane.BLUE
    # Known departures were received before the release, even if the gateway's clock is ahead of this one.
    released_at = max((now, *(each.received_at for each in departures(state))))
    return [Released(released_at, terms), *([CaseOpened(CaseReason.AUDIT, now)] if audited else [])]


def record_departure(state: State, seen: Regions, _now: datetime, _law: Law) -> Sequence[Event]:
    """Record that released goods left, also if they left before release."""
    left_at = seen[PRESENCE].left_at
    if left_at is None:
        return ()
    return [Removed(left_at) if state.declaration.direction is Direction.IMPORT else Exited(left_at)]


def close(_state: State, seen: Regions, now: datetime, _law: Law) -> Sequence[Event]:
    """Close a declaration whose goods left after release."""
    presence = seen[PRESENCE]
    return [Closed(now)] if presence.left_at is not None and not presence.left_unreleased else ()
