"""Holds that prevent release, by agency."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from declarations.domain.claims import Claim, Kind
from declarations.domain.events import Event, HoldLifted, HoldPlaced
from declarations.domain.regions.region import Region, Regions, Term
from declarations.domain.state import CaseReason, State

Holds: TypeAlias = frozenset[tuple[str, str]]
"""(agency, code): only the agency that placed a hold can lift it."""


def of(claims: tuple[Claim, ...], _state: State) -> Holds:
    holds = set[tuple[str, str]]()
    for claim in claims:
        key = (claim.publisher, claim.hold or "")
        if claim.kind is Kind.HOLD_PLACED:
            holds.add(key)
        elif claim.kind is Kind.HOLD_LIFTED:
            holds.discard(key)
    return frozenset(holds)


def announce(before: Regions, after: Regions, _now: datetime) -> Iterator[Event]:
    was, is_ = before[HOLDS], after[HOLDS]
    yield from (HoldPlaced(hold) for _, hold in sorted(is_ - was))
    yield from (HoldLifted(hold) for _, hold in sorted(was - is_))


def _none_in_force(seen: Regions) -> bool:
    return not seen[HOLDS]


def _summary(holds: Holds) -> Mapping[str, Any]:
    return {"held": bool(holds)}


HOLDS: Region[Holds] = Region(
    "holds", of, announce, _summary, Term("no_holds", _none_in_force, CaseReason.HOLD_AFTER_RELEASE)
)
