"""The type of a region: its value, its announcements, its term of release.

Regions are computed from the claims in force and never stored, so retractions and late claims need no undo, and the
order of arrival of claims does not matter.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from declarations.domain.claims import Claim, Kind
from declarations.domain.events import Event
from declarations.domain.state import CaseReason, State

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Regions:
    """The values of all regions of one state."""

    state: State = field(compare=False)
    values: Mapping[str, Any]
    """Name of the region → value."""

    def __getitem__(self, region: "Region[V]") -> V:
        value: V = self.values[region.name]
        return value


@dataclass(frozen=True, slots=True)
class Term:
    """A region's condition for release."""

    name: str
    """Its name in the published guard."""
    holds: Callable[[Regions], bool]
    case: CaseReason
    """The case opened if the term fails after release, which is never undone: staff must act."""


@dataclass(frozen=True, slots=True)
class Region(Generic[V]):
    """One row of `REGIONS`."""

    name: str
    of: Callable[[tuple[Claim, ...], State], V]
    """(claims in force, state) → value."""
    announce: Callable[[Regions, Regions, datetime], Iterator[Event]]
    """(before, after, now) → the events that announce the difference; none if there is none."""
    summary: Callable[[V], Mapping[str, Any]]
    """Its part of the summary in every event, with the contract's field names."""
    term: Term | None = None
    """None if release does not depend on it."""


def first(claims: Iterable[Claim], kind: Kind) -> Claim | None:
    return next((claim for claim in claims if claim.kind is kind), None)


def last(claims: tuple[Claim, ...], kind: Kind) -> Claim | None:
    return first(reversed(claims), kind)
