"""Everything a decision needs that is not in the declaration: tariff, rates, risk rules, codes, terms.

Handed in, so that the domain reads no file and a decision can be repeated with the same law.
"""

from dataclasses import dataclass

from declarations.domain.deadline import PaymentTerm
from declarations.domain.duty import ExchangeRates, Tariff
from declarations.domain.risk import RiskRules


@dataclass(frozen=True, slots=True)
class Codes:
    """Code lists that rules look up."""

    countries: frozenset[str]
    """ISO 3166 alpha-2."""
    currencies: frozenset[str]
    """ISO 4217."""


@dataclass(frozen=True, slots=True)
class Law:
    codes: Codes
    tariff: Tariff
    exchange: ExchangeRates
    risk: RiskRules
    payment: PaymentTerm
