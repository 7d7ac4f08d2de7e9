"""The regions of a declaration's state, one file each; to add a region, add a row to `REGIONS`.

Differences between two states are announced, whatever caused them (a claim, a retraction, a lane): a claim that changes
nothing announces nothing, and a retraction announces that the earlier announcement no longer holds.
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
"""In the order of announcement."""

INFORMATIVE = (Kind.DEPARTED, Kind.BORDER_CROSSED)
"""Kinds that are stored and shown but affect no region."""


def regions(state: State) -> Regions:
    """The regions of a declaration."""
    claims = in_force(state.claims)
    return Regions(state, {region.name: region.of(claims, state) for region in REGIONS})


def guard(seen: Regions) -> Mapping[str, bool]:
    """Term of release → whether it holds; the goods may be released if all hold."""
    terms = {region.term.name: region.term.holds(seen) for region in REGIONS if region.term is not None}
    return {"accepted": seen.state.number is not None, **terms}


def summary(seen: Regions) -> Mapping[str, Any]:
    """The summary of the regions that every event carries."""
    return {name: value for region in REGIONS for name, value in region.summary(seen[region]).items()}


def announce(before: Regions, after: Regions, now: datetime) -> Iterator[Event]:
    """The announcements of the change from one state to the next, and cases for terms that fail after release."""
    for region in REGIONS:
        yield from region.announce(before, after, now)
        term = region.term
        if term is not None and before.state.released_at is not None and term.holds(before) and not term.holds(after):
            yield CaseOpened(term.case, now)
