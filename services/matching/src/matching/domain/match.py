"""A match: one project and one mandate, judged again whenever one of them changes.

    (none) ──fits──▶ FOUND ──fits no longer──▶ WITHDRAWN ──fits again──▶ FOUND (round + 1)
                      └─other score or reasons: changed, stays FOUND

Each judgement reads the current state of both listings. A judgement of an older version of a listing
than the match was last judged on is ignored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never

from matching.domain.criteria import Missed, Parameters, Reason
from matching.domain.listing import Listing
from matching.domain.reference import Reference
from matching.domain.score import Fit, Refused, judge, pair
from matching.domain.terms import Firm


class Status(StrEnum):
    FOUND = "found"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Side:
    """The version of a listing that was judged."""

    listing_id: str
    kind: str
    firm: Firm
    reference: str
    change: int


@dataclass(frozen=True, slots=True)
class Match:
    id: str
    project: Side
    mandate: Side
    status: Status
    round: int
    firms: tuple[str, ...]
    """Both firms as `SCHEME:VALUE`, for queries by firm."""
    score: int = 0
    reasons: tuple[Reason, ...] = ()
    missed: tuple[Missed, ...] = ()
    judged_at: datetime | None = None
    withdrawn_for: str | None = None
    withdrawn_parameters: Parameters = ()


@dataclass(frozen=True, slots=True)
class JudgePair:
    """Judge two listings in their current state."""

    one: Listing
    other: Listing


@dataclass(frozen=True, slots=True)
class Judged:
    """The fields that `MatchFound` and `MatchChanged` share."""

    match_id: str
    project: Side
    mandate: Side
    round: int
    score: int
    reasons: tuple[Reason, ...]
    missed: tuple[Missed, ...]
    judged_at: datetime


@dataclass(frozen=True, slots=True)
class MatchFound(Judged):
    """The two listings fit and did not before."""


@dataclass(frozen=True, slots=True)
class MatchChanged(Judged):
    """The two listings still fit, with another score, other reasons or other missed criteria."""


@dataclass(frozen=True, slots=True)
class MatchWithdrawn:
    match_id: str
    project: Side
    mandate: Side
    round: int
    reason: str
    parameters: Parameters


Event: TypeAlias = MatchFound | MatchChanged | MatchWithdrawn


def decider(reference: Reference) -> Callable[[Match | None, JudgePair, datetime], Sequence[Event]]:
    """`decide` bound to the reference data."""

    def decide(state: Match | None, command: JudgePair, now: datetime) -> Sequence[Event]:
        both = pair(command.one, command.other)
        if state is not None and _is_older(both.project, both.mandate, state):
            return ()
        verdict = judge(command.one, command.other, now=now, reference=reference)
        return _events(state, both.project, both.mandate, verdict, now)

    return decide


def match_id(one: Listing, other: Listing) -> str:
    """`M-<project>-<mandate>`, from the ids of the listings; `listing_ids` is the inverse."""
    both = pair(one, other)
    return f"M-{both.project.id.removeprefix('L-')}-{both.mandate.id.removeprefix('L-')}"


def listing_ids(id_: str) -> tuple[str, str]:
    """The project's and the mandate's listing ids in a match id."""
    _, project, mandate = id_.split("-")
    return f"L-{project}", f"L-{mandate}"


def _is_older(project: Listing, mandate: Listing, state: Match) -> bool:
    return project.change < state.project.change or mandate.change < state.mandate.change


def _events(
    state: Match | None, project: Listing, mandate: Listing, verdict: Fit | Refused, now: datetime
) -> Sequence[Event]:
    found = state is not None and state.status is Status.FOUND
    sides = (match_id(project, mandate), _side(project), _side(mandate))
    before = state.round if state else 0
    match verdict:
        case Refused(reason, parameters):
            return (MatchWithdrawn(*sides, before, reason, parameters),) if found else ()
        case Fit(score, reasons, missed):
            if not found:
                return (MatchFound(*sides, before + 1, score, reasons, missed, now),)
            if state is not None and (state.score, state.reasons, state.missed) == (score, reasons, missed):
                return ()
            return (MatchChanged(*sides, before, score, reasons, missed, now),)
        case _:
            assert_never(verdict)


def _side(listing: Listing) -> Side:
    return Side(listing.id, listing.kind, listing.firm, listing.reference, listing.change)


def evolve(state: Match | None, event: Event) -> Match:  # noqa: ARG001 - every event carries the whole state
    """The match after an event."""
    firms = tuple(sorted({str(event.project.firm), str(event.mandate.firm)}))
    match event:
        case MatchFound() | MatchChanged():
            return Match(
                id=event.match_id,
                project=event.project,
                mandate=event.mandate,
                status=Status.FOUND,
                round=event.round,
                firms=firms,
                score=event.score,
                reasons=event.reasons,
                missed=event.missed,
                judged_at=event.judged_at,
            )
        case MatchWithdrawn():
            return Match(
                id=event.match_id,
                project=event.project,
                mandate=event.mandate,
                status=Status.WITHDRAWN,
                round=event.round,
                firms=firms,
                withdrawn_for=event.reason,
                withdrawn_parameters=event.parameters,
            )
        case _:
            assert_never(event)
