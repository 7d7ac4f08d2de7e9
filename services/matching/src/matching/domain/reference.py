"""Dated facts that judging needs and no listing states: exchange rates and shared terms.

They are data, read once at start (`matching.reference_data`) and handed in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from matching.domain.terms import Money


@dataclass(frozen=True, slots=True)
class Rates:
    """What one unit of a currency is worth in the currency that amounts are compared in."""

    as_of: date
    currency: str
    per_unit: Mapping[str, Decimal]

    def convert(self, money: Money) -> Decimal | None:
        """The amount in the reference currency, unrounded; None for a currency that has no rate."""
        rate = self.per_unit.get(money.currency)
        return None if rate is None else money.amount * rate


@dataclass(frozen=True, slots=True)
class SharedTerms:
    """Terms of trade and investment with the words that say them in Chinese, Russian and English.

    Words are stems in lower case: a title holds a term where it holds one of its words. Letters alone
    find nothing in common across three scripts; a term does.
    """

    words: Mapping[str, tuple[str, ...]]

    def of(self, title: str) -> frozenset[str]:
        """The terms a title holds."""
        lower = title.casefold()
        return frozenset(term for term, words in self.words.items() if any(word in lower for word in words))


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything judging looks up."""

    rates: Rates
    terms: SharedTerms
