"""How well a project and a mandate fit: hard filters first, then seven criteria whose points make the score.

    sector 30 · ticket 20 · geography 15 · instrument 9 and stake 6 · return 10 · stage 5 · words 5 = 100

A pair that a filter refuses is no match, whatever its score. Every point has a reason; criteria that
do not fit are listed as missed. The order of the two listings does not matter. Weights, filters and
the steps within a criterion are the platform's own rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from matching.domain import criteria
from matching.domain.criteria import Missed, Parameters, Points, Reason
from matching.domain.listing import Listing, Status
from matching.domain.reference import Reference
from matching.domain.sectors import covers
from matching.domain.terms import MandateTerms, ProjectTerms

MINIMUM_SCORE = 50
"""Pairs below it are no match: a firm that gets too many matches reads none."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The pair is a match."""

    score: int
    reasons: tuple[Reason, ...]
    missed: tuple[Missed, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The pair is no match. `reason` is a code below `matching.withdrawn.`."""

    reason: str
    parameters: Parameters


Verdict: TypeAlias = Fit | Refused


@dataclass(frozen=True, slots=True)
class Pair:
    """A project and a mandate."""

    project: Listing
    project_terms: ProjectTerms
    mandate: Listing
    mandate_terms: MandateTerms


class NotAPair(Exception):
    """Both listings are of the same kind, so they cannot be compared."""


def pair(one: Listing, other: Listing) -> Pair:
    """Tell which listing is the project and which the mandate.

    Raises:
        NotAPair: both are projects or both are mandates.
    """
    for project, mandate in ((one, other), (other, one)):
        if isinstance(project.terms, ProjectTerms) and isinstance(mandate.terms, MandateTerms):
            return Pair(project, project.terms, mandate, mandate.terms)
    raise NotAPair(f"{one.id} and {other.id} are both {one.kind}s")


def judge(one: Listing, other: Listing, *, now: datetime, reference: Reference) -> Verdict:
    """Compare two listings.

    Raises:
        NotAPair: both are projects or both are mandates.
    """
    both = pair(one, other)
    refused = _filtered(both, now, reference)
    if refused is not None:
        return refused
    scored = _scored(both, reference)
    reasons = tuple(reason for points in scored for reason in points.reasons if reason.points)
    score = sum(reason.points for reason in reasons)
    if score < MINIMUM_SCORE:
        return Refused("score", (("minimum", str(MINIMUM_SCORE)), ("score", str(score))))
    return Fit(score, reasons, tuple(missed for points in scored for missed in points.missed))


def _scored(both: Pair, reference: Reference) -> Sequence[Points]:
    project, mandate = both.project_terms, both.mandate_terms
    return (
        criteria.sector(project, mandate),
        criteria.ticket(project, mandate, reference.rates),
        criteria.geography(project, mandate),
        criteria.instrument(project, mandate),
        criteria.stake(project, mandate),
        criteria.expected_return(project, mandate),
        criteria.stage(project, mandate),
        criteria.words(project, mandate, reference.terms),
        criteria.language(project, mandate),
    )


def _filtered(both: Pair, now: datetime, reference: Reference) -> Refused | None:
    """The first hard filter that refuses the pair."""
    for refused in (
        _not_open(both.project),
        _not_open(both.mandate),
        _over(both.project, now),
        _over(both.mandate, now),
        _self(both),
        _country(both),
        _sector_excluded(both),
        _no_instrument(both),
        _no_ticket(both, reference),
    ):
        if refused is not None:
            return refused
    return None


def _not_open(listing: Listing) -> Refused | None:
    if listing.status is Status.OPEN:
        return None
    reason = listing.closed_for.value if listing.closed_for else "waiting"
    return Refused(reason, (("reference", listing.reference),))


def _over(listing: Listing, now: datetime) -> Refused | None:
    ends = listing.terms.expires_at
    return Refused("expired", (("reference", listing.reference),)) if ends is not None and ends <= now else None


def _self(both: Pair) -> Refused | None:
    same = both.project.firm == both.mandate.firm or both.project.enterprise_id == both.mandate.enterprise_id
    return Refused("self", ()) if same else None


def _country(both: Pair) -> Refused | None:
    country, mandate = both.project_terms.country, both.mandate_terms
    if country in mandate.excluded_countries:
        return Refused("country_excluded", (("country", country),))
    if mandate.countries and country not in mandate.countries:
        return Refused("country", (("country", country),))
    return None


def _sector_excluded(both: Pair) -> Refused | None:
    sector = both.project_terms.sector
    if any(covers(excluded, sector) for excluded in both.mandate_terms.excluded_sectors):
        return Refused("sector_excluded", (("sector", sector),))
    return None


def _no_instrument(both: Pair) -> Refused | None:
    if set(both.project_terms.instruments) & set(both.mandate_terms.instruments):
        return None
    return Refused("instrument", ())


def _no_ticket(both: Pair, reference: Reference) -> Refused | None:
    """The sum sought is below the smallest ticket, nothing is offered, or the sums cannot be compared."""
    amounts = (both.project_terms.sought, both.mandate_terms.ticket_min, both.mandate_terms.ticket_max)
    sought, smallest, largest = (reference.rates.convert(each) for each in amounts)
    if sought is None or smallest is None or largest is None:
        unknown = next(each.currency for each in amounts if reference.rates.convert(each) is None)
        return Refused("currency", (("currency", unknown),))
    if sought <= 0 or largest <= 0 or smallest > largest or sought < smallest:
        return Refused("ticket", ())
    return None
