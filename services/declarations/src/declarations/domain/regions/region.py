"""What a region beside the main state is: its value, what it announces, its term of the release.

Regions are computed from the claims in force and never stored: a retraction or a late claim changes them without
undoing anything, and the order in which claims were read cannot matter.
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
    """Name of a region → its value."""

    def __getitem__(self, region: "Region[V]") -> V:
        value: V = self.values[region.name]
        return value


@dataclass(frozen=True, slots=True)
class Term:
    """What a region asks before goods are released."""

    name: str
    """As the published guard names it."""
    holds: Callable[[Regions], bool]
    case: CaseReason
    """Opened where the term fails after the release: what is released stays released, staff must act."""


@dataclass(frozen=True, slots=True)
class Region(Generic[V]):
    """One row of `REGIONS`."""

    name: str
    of: Callable[[tuple[Claim, ...], State], V]
    """(claims in force, state) → value."""
    announce: Callable[[Regions, Regions, datetime], Iterator[Event]]
    """(before, after, now) → what others must hear of the difference; nothing where there is none."""
    summary: Callable[[V], Mapping[str, Any]]
    """Its part of the summary that every event carries, field for field the contract's."""
    term: Term | None = None
    """None where a release does not depend on it."""


def first(claims: Iterable[Claim], kind: Kind) -> Claim | None:
    return next((claim for claim in claims if claim.kind is kind), None)


def last(claims: tuple[Claim, ...], kind: Kind) -> Claim | None:
    return first(reversed(claims), kind)
