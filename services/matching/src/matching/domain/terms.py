"""The terms of a project or mandate, as the firm stated them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from values.identifiers import Identifier

Firm = Identifier
"""A firm, identified by one of its numbers."""

ANY_COUNTRY = "*"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in major units."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class ProjectTerms:
    """A project that seeks capital."""

    title: str
    country: str
    sector: str
    stage: str
    sought: Money
    instruments: tuple[str, ...]
    region: str | None = None
    stake_percent: Decimal | None = None
    expected_return_percent: Decimal | None = None
    languages: tuple[str, ...] = ()
    expires_at: datetime | None = None
    kind: Literal["project"] = "project"


@dataclass(frozen=True, slots=True)
class MandateTerms:
    """Capital on offer and where it may go. Empty `countries` or `stages` mean any."""

    title: str
    ticket_min: Money
    ticket_max: Money
    sectors: tuple[str, ...]
    countries: tuple[str, ...]
    instruments: tuple[str, ...]
    excluded_sectors: tuple[str, ...] = ()
    excluded_countries: tuple[str, ...] = ()
    stake_min_percent: Decimal | None = None
    stake_max_percent: Decimal | None = None
    return_floor_percent: Decimal | None = None
    stages: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    expires_at: datetime | None = None
    kind: Literal["mandate"] = "mandate"


Terms: TypeAlias = ProjectTerms | MandateTerms


def offered_facets(terms: Terms) -> tuple[str, ...]:
    """The index keys of an open listing: `kind|country|instrument`.

    A pair without a common key fails the country or the instrument filter, so an index look-up finds
    every candidate.
    """
    if isinstance(terms, ProjectTerms):
        countries: tuple[str, ...] = (terms.country, ANY_COUNTRY)
    else:
        countries = terms.countries or (ANY_COUNTRY,)
    return _facets(terms.kind, countries, terms.instruments)


def wanted_facets(terms: Terms) -> tuple[str, ...]:
    """The keys of the listings on the other side that may fit these terms."""
    if isinstance(terms, ProjectTerms):
        return _facets("mandate", (terms.country, ANY_COUNTRY), terms.instruments)
    return _facets("project", terms.countries or (ANY_COUNTRY,), terms.instruments)


def _facets(kind: str, countries: tuple[str, ...], instruments: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({f"{kind}|{country}|{instrument}" for country in countries for instrument in instruments}))
