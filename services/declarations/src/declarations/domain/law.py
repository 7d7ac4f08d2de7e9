"""The law: everything a decision needs besides the declaration (tariff, rates, risk rules, codes, terms).

It is passed in, so that the domain reads no files and a decision can be repeated with the same law.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from declarations.domain.assessment.duty import Tariff
from declarations.domain.assessment.exchange import ExchangeRates
from declarations.domain.assessment.risk import RiskRules
from declarations.domain.authority import Seats
from declarations.domain.office_day import OfficeCalendar
from declarations.domain.offices import Offices
from declarations.domain.payment_term import PaymentTerm
from values.places import Locode


@dataclass(frozen=True, slots=True)
class Codes:
    """The code lists of the rules."""

    countries: frozenset[str]
    """ISO 3166 alpha-2."""
    currencies: Mapping[str, int]
    """ISO 4217 currencies with a minor unit → number of decimals."""
    package_kinds: frozenset[str]
    """UN/CEFACT Recommendation 21."""
    is_unit: Callable[[str], bool]
    """Whether a string is a unit of measure."""
    is_place: Callable[[Locode], bool]
    """Whether a string can be a UN/LOCODE: its form, and an existing country."""
    places: Mapping[str, frozenset[str]]
    """Country → its listed UN/LOCODEs; a missing country has no list."""
    offices: Offices


@dataclass(frozen=True, slots=True)
class Law:
    codes: Codes
    tariff: Tariff
    exchange: ExchangeRates
    risk: RiskRules
    payment: PaymentTerm
    seats: Seats

    @property
    def calendar(self) -> OfficeCalendar:
        """The calendar of all dated rules."""
        return self.tariff.calendar
