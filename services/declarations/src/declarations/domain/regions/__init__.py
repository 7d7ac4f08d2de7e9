"""The regions beside the main state, a file each; a further region is a further row of `REGIONS`.

Announced are differences, whatever made them (a claim, a retraction, a lane): a claim that changes nothing announces
nothing, and a retraction announces that what had been announced holds no more.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from declarations.domain.claims import Kind, in_force
from declarations.domain.events import CaseOpened, Event
from declarations.domain.regions.control import CONTROL, ControlStatus
from declarations.domain.regions.holds import HOLDS
from declarations.domain.regions.money import MONEY
from declarations.domain.regions.presence import ARRIVAL, PRESENCE, PresenceStatus, departures
from declarations.domain.regions.region import Region, Regions, Term
from declarations.domain.state import State

__all__ = [
    "ARRIVAL",
    "CONTROL",
    "HOLDS",
    "INFORMATIVE",
    "MONEY",
    "PRESENCE",
    "REGIONS",
    "ControlStatus",
    "PresenceStatus",
    "Region",
    "Regions",
    "Term",
    "announce",
    "departures",
    "guard",
    "regions",
    "summary",
]

REGIONS: tuple[Region[Any], ...] = (CONTROL, HOLDS, PRESENCE, MONEY)
"""In the order in which their differences are announced."""

INFORMATIVE = (Kind.DEPARTED, Kind.BORDER_CROSSED)
"""Kept and shown, and read by no region."""


def regions(state: State) -> Regions:
    """The regions of a declaration."""
    claims = in_force(state.claims)
    return Regions(state, {region.name: region.of(claims, state) for region in REGIONS})


def guard(seen: Regions) -> Mapping[str, bool]:
    """The terms of release as they stand; the goods may go where all of them hold."""
    terms = {region.term.name: region.term.holds(seen) for region in REGIONS if region.term is not None}
    return {"accepted": seen.state.number is not None, **terms}


def summary(seen: Regions) -> Mapping[str, Any]:
    """What every event says of the regions after it."""
    return {name: value for region in REGIONS for name, value in region.summary(seen[region]).items()}


def announce(before: Regions, after: Regions, now: datetime) -> Iterator[Event]:
    """What the step from one state to the next announces, and the cases of terms that fail after the release."""
    for region in REGIONS:
        yield from region.announce(before, after, now)
        term = region.term
        if term is not None and before.state.released_at is not None and term.holds(before) and not term.holds(after):
            yield CaseOpened(term.case, now)
