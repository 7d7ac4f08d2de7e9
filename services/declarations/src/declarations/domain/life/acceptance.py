"""Decides whether a version is prelodged, accepted under its number, or rejected for its parties or values."""

from collections.abc import Sequence
from datetime import datetime

from declarations.domain import number, size_limits
from declarations.domain.commands import AnswerParties, CommandOutOfOrder
from declarations.domain.declaration import Direction
from declarations.domain.events import Accepted, Event, Prelodged, Rejected
from declarations.domain.law import Law
from declarations.domain.regions import PRESENCE, Regions
from declarations.domain.rules import parties
from declarations.domain.rules.header import check_values
from declarations.domain.state import State


def judge_parties(state: State, command: AnswerParties, now: datetime, law: Law) -> Sequence[Event]:
    if command.version != state.version:
        raise CommandOutOfOrder(f"answer for version {command.version}, the current one is {state.version}")
    errors = size_limits.errors(parties.judge(state.declaration, command.standings))
    if errors:
        return [Rejected(state.version, state.receipt_id, now, errors)]
    if state.declaration.direction is Direction.IMPORT:
        return [Prelodged(now, command.serial)]
    return [_accepted(state, command.serial, state.received_at, law)]


def accept_on_arrival(state: State, seen: Regions, now: datetime, law: Law) -> Sequence[Event]:
    arrived_at = seen[PRESENCE].arrived_at
    if arrived_at is None or state.serial is None:
        return ()
    accepted = _accepted(state, state.serial, arrived_at, law)
    errors = size_limits.errors(check_values(state.declaration, accepted.accepted_at, law))
    return [Rejected(state.version, state.receipt_id, now, errors)] if errors else [accepted]


def _accepted(state: State, serial: str, complete_at: datetime, law: Law) -> Accepted:
    """Acceptance; its legal date is when the gateway had received both the declaration and the goods' arrival."""
    accepted_at = max(state.received_at, complete_at)
    year = law.calendar.year_of(accepted_at)
    return Accepted(
        number.compose(state.declaration.customs_office, year, state.declaration.direction, serial), accepted_at
    )
