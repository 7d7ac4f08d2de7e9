"""Presence: whether the goods arrived, were presented, and left; and whether they were released by then."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from declarations.domain.claims import Claim, Kind, in_force
from declarations.domain.declaration import Direction
from declarations.domain.events import CaseOpened, Event, PresentationWithdrawn, Presented
from declarations.domain.regions.region import Region, Regions, Term, first
from declarations.domain.state import CaseReason, State, Status
from values.moments import CLOCK_SKEW

ARRIVAL = (Kind.ARRIVED, Kind.GATE_IN)
"""Either event means that the goods are there: goods inside the port's gate have arrived, reported or not."""

_GONE = (Status.REMOVED, Status.EXITED, Status.CLOSED)


class PresenceStatus(StrEnum):
    NOT_PRESENTED = "not_presented"
    PRESENTED = "presented"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Presence:
    arrived_at: datetime | None
    """When the gateway first received a report that the goods are there."""
    presented_at: datetime | None
    gate_out_at: datetime | None
    exit_at: datetime | None
    left_at: datetime | None
    """When the goods left: an import past the gate, an export abroad."""
    left_unreleased: bool
    """Whether they left before release, or left and are still not released: see `_before_release`."""

    @property
    def status(self) -> PresenceStatus:
        if self.gate_out_at is not None:
            return PresenceStatus.REMOVED
        return PresenceStatus.NOT_PRESENTED if self.presented_at is None else PresenceStatus.PRESENTED


def of(claims: tuple[Claim, ...], state: State) -> Presence:
    gate_in = first(claims, Kind.GATE_IN)
    gate_out = first(claims, Kind.GATE_OUT)
    exit_ = first(claims, Kind.EXIT_CONFIRMED)
    leaving = _departures(claims, state)
    return Presence(
        arrived_at=min((claim.received_at for claim in claims if claim.kind in ARRIVAL), default=None),
        presented_at=gate_in.occurred_at if gate_in else None,
        gate_out_at=gate_out.occurred_at if gate_out else None,
        exit_at=exit_.occurred_at if exit_ else None,
        left_at=leaving[0].occurred_at if leaving else None,
        left_unreleased=any(_before_release(each, state.released_at) for each in leaving),
    )


def departures(state: State) -> tuple[Claim, ...]:
    """The claims in force that the goods left (see `Presence.left_at`), in the order of events."""
    return _departures(in_force(state.claims), state)


def _departures(claims: tuple[Claim, ...], state: State) -> tuple[Claim, ...]:
    kind = Kind.GATE_OUT if state.declaration.direction is Direction.IMPORT else Kind.EXIT_CONFIRMED
    return tuple(claim for claim in claims if claim.kind is kind)


def announce(before: Regions, after: Regions, now: datetime) -> Iterator[Event]:
    was, is_ = before[PRESENCE], after[PRESENCE]
    if is_.presented_at is not None and was.presented_at is None:
        yield Presented(is_.presented_at)
    if is_.presented_at is None and was.presented_at is not None:
        yield PresentationWithdrawn()
    if is_.left_unreleased and not was.left_unreleased:
        yield CaseOpened(CaseReason.REMOVED_BEFORE_RELEASE, now)
    gone = was.gate_out_at is not None and is_.gate_out_at is None
    unsaid = was.exit_at is not None and is_.exit_at is None
    if before.state.released_at is not None and after.state.status in _GONE and (gone or unsaid):
        yield CaseOpened(CaseReason.DEPARTURE_WITHDRAWN, now)


def _presented(seen: Regions) -> bool:
    return seen[PRESENCE].presented_at is not None


def _before_release(departure: Claim, released_at: datetime | None) -> bool:
    """Whether goods left before release, allowing for the inaccuracy of partners' clocks.

    A departure received by the time of release was before it, whatever its timestamp. One received later
    was before it only if its timestamp is earlier by more than `CLOCK_SKEW`.
    """
    if released_at is None or departure.received_at <= released_at:
        return True
    return departure.occurred_at < released_at - CLOCK_SKEW


def _summary(presence: Presence) -> Mapping[str, Any]:
    return {"presented": presence.presented_at is not None, "left_unreleased": presence.left_unreleased}


PRESENCE: Region[Presence] = Region(
    "presence", of, announce, _summary, Term("presented", _presented, CaseReason.PRESENTATION_WITHDRAWN)
)
