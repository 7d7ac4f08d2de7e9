"""Everything a decision needs that is not in the declaration: tariff, rates, risk rules, codes, terms.

Handed in, so that the domain reads no file and a decision can be repeated with the same law.
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
    """Code lists that rules look up."""

    countries: frozenset[str]
    """ISO 3166 alpha-2."""
    currencies: Mapping[str, int]
    """ISO 4217: the currencies that have a minor unit, with the number of its decimals."""
    package_kinds: frozenset[str]
    """UN/CEFACT Recommendation 21."""
    is_unit: Callable[[str], bool]
    """Whether a text is a unit of measure."""
    is_place: Callable[[Locode], bool]
    """Whether a text can be a UN/LOCODE: its form, and a country that exists."""
    places: Mapping[str, frozenset[str]]
    """Country → its places by UN/LOCODE; a country that is absent has no list."""
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
        """Of the days that everything dated goes by."""
        return self.tariff.calendar
