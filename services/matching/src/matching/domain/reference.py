"""Reference data that judging needs: exchange rates and shared terms.

They are read once at start (`matching.reference_data`) and passed in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from matching.domain.terms import Money


@dataclass(frozen=True, slots=True)
class Rates:
    """The value of one unit of each currency in the reference currency."""

    as_of: date
    currency: str
    per_unit: Mapping[str, Decimal]

    def convert(self, money: Money) -> Decimal | None:
        """The amount in the reference currency, unrounded; None for a currency without a rate."""
        rate = self.per_unit.get(money.currency)
        return None if rate is None else money.amount * rate


@dataclass(frozen=True, slots=True)
class SharedTerms:
    """Terms of trade and investment with their words in Chinese, Russian and English.

    Words are lower-case stems: a title has a term if it contains one of the term's words. Terms make
    titles in different scripts comparable, which comparing their letters cannot.
    """

    words: Mapping[str, tuple[str, ...]]

    def of(self, title: str) -> frozenset[str]:
        """The terms of a title."""
        lower = title.casefold()
        return frozenset(term for term, words in self.words.items() if any(word in lower for word in words))


@dataclass(frozen=True, slots=True)
class Reference:
    """All reference data of judging."""

    rates: Rates
    terms: SharedTerms
