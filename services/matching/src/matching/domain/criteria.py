"""The criteria of the score, one function each: terms of both sides → points, reasons, missed criteria.

A criterion gives whole points between 0 and its weight. Codes are codes of the text catalogue.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from matching.domain.reference import Rates, SharedTerms
from matching.domain.sectors import covers, nearest
from matching.domain.terms import MandateTerms, ProjectTerms

SECTOR = 30
TICKET = 20
GEOGRAPHY = 15
INSTRUMENT = 9
STAKE = 6
RETURN = 10
STAGE = 5
WORDS = 5

SECTOR_BY_DEPTH = {0: 0, 1: 9, 2: 18, 3: 24, 4: 30}
"""Points by the number of levels that the project's sector shares with the mandate's nearest sector."""

GEOGRAPHY_ANY = 9
"""Points for a country that the mandate neither names nor excludes."""

STAKE_OPEN = 3
"""Points if the project leaves the stake to negotiation."""

Parameters: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values of a text's placeholders, sorted by name."""


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    points: int
    weight: int
    parameters: Parameters = ()


@dataclass(frozen=True, slots=True)
class Missed:
    code: str
    parameters: Parameters = ()


@dataclass(frozen=True, slots=True)
class Points:
    """The result of one criterion."""

    reasons: tuple[Reason, ...] = ()
    missed: tuple[Missed, ...] = ()


def _given(code: str, points: int, weight: int, **parameters: str) -> Points:
    return Points(reasons=(Reason(code, points, weight, tuple(sorted(parameters.items()))),))


def _missed(code: str, **parameters: str) -> Points:
    return Points(missed=(Missed(code, tuple(sorted(parameters.items()))),))


def _both(one: Points, other: Points) -> Points:
    return Points(one.reasons + other.reasons, one.missed + other.missed)


def sector(project: ProjectTerms, mandate: MandateTerms) -> Points:
    """Full points if the mandate names the sector or a parent of it; fewer the fewer levels they share."""
    covering = sorted(each for each in mandate.sectors if covers(each, project.sector))
    if covering:
        return _given("matching.sector.covered", SECTOR, SECTOR, sector=project.sector, named=covering[-1])
    near, depth = nearest(project.sector, mandate.sectors)
    missed = _missed("matching.sector.missed", sector=project.sector)
    if depth == 0:
        return missed
    return _both(
        _given("matching.sector.near", SECTOR_BY_DEPTH[depth], SECTOR, sector=project.sector, named=near), missed
    )


def ticket(project: ProjectTerms, mandate: MandateTerms, rates: Rates) -> Points:
    """Points in proportion to the part of the sum sought that the largest ticket covers."""
    sought, largest = rates.convert(project.sought), rates.convert(mandate.ticket_max)
    if sought is None or largest is None or sought <= 0:
        return Points()
    part = min(largest, sought) / sought
    percent, as_of = str(_whole(part * 100)), rates.as_of.isoformat()
    given = _given("matching.ticket.part", _whole(part * TICKET), TICKET, percent=percent, as_of=as_of)
    if part == 1:
        return _given("matching.ticket.whole", TICKET, TICKET, as_of=as_of)
    return _both(given, _missed("matching.ticket.missed", percent=percent))


def geography(project: ProjectTerms, mandate: MandateTerms) -> Points:
    if project.country in mandate.countries:
        return _given("matching.geography.named", GEOGRAPHY, GEOGRAPHY, country=project.country)
    return _given("matching.geography.any", GEOGRAPHY_ANY, GEOGRAPHY, country=project.country)


def instrument(project: ProjectTerms, mandate: MandateTerms) -> Points:
    shared = sorted(set(project.instruments) & set(mandate.instruments))
    return _given("matching.instrument.shared", INSTRUMENT, INSTRUMENT, instruments=", ".join(shared))


def stake(project: ProjectTerms, mandate: MandateTerms) -> Points:
    """Whether the stake offered is within the investor's range."""
    low = mandate.stake_min_percent if mandate.stake_min_percent is not None else Decimal(0)
    high = mandate.stake_max_percent if mandate.stake_max_percent is not None else Decimal(100)
    offered = project.stake_percent
    if offered is None:
        return _given("matching.stake.open", STAKE_OPEN, STAKE)
    wanted = {"low": _plain(low), "high": _plain(high), "stake": _plain(offered)}
    if low <= offered <= high:
        return _given("matching.stake.inside", STAKE, STAKE, **wanted)
    return _missed("matching.stake.outside", **wanted)


def expected_return(project: ProjectTerms, mandate: MandateTerms) -> Points:
    """Whether the project's expected return reaches the investor's minimum."""
    floor, expected = mandate.return_floor_percent, project.expected_return_percent
    if floor is None:
        return _given("matching.return.no_floor", RETURN, RETURN)
    if expected is None:
        return _missed("matching.return.not_stated", floor=_plain(floor))
    if expected >= floor:
        return _given("matching.return.enough", RETURN, RETURN, expected=_plain(expected), floor=_plain(floor))
    return _missed("matching.return.below", expected=_plain(expected), floor=_plain(floor))


def stage(project: ProjectTerms, mandate: MandateTerms) -> Points:
    if not mandate.stages:
        return _given("matching.stage.any", STAGE, STAGE)
    if project.stage in mandate.stages:
        return _given("matching.stage.entered", STAGE, STAGE, stage=project.stage)
    return _missed("matching.stage.missed", stage=project.stage)


def words(project: ProjectTerms, mandate: MandateTerms, terms: SharedTerms) -> Points:
    """Points in proportion to the terms that both titles share, out of all terms of either; in any language."""
    ours, theirs = terms.of(project.title), terms.of(mandate.title)
    shared = ours & theirs
    if not shared:
        return _missed("matching.words.missed")
    part = Decimal(len(shared)) / len(ours | theirs)
    return _given("matching.words.shared", _whole(part * WORDS), WORDS, terms=", ".join(sorted(shared)))


def language(project: ProjectTerms, mandate: MandateTerms) -> Points:
    """No points; reports if both sides need an interpreter."""
    if project.languages and mandate.languages and not set(project.languages) & set(mandate.languages):
        return _missed("matching.language.missed")
    return Points()


def _whole(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
