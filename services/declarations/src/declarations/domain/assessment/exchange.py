"""Exchange rates by period. A currency without a rate on a day cannot be converted: never one to one.

Customs publishes rates for a period, in China for each calendar month. A table is valid from its first
to its last day at the office; if two have a currency on the same day, the later one applies. A table
without a last day is valid until a later one begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from declarations.domain.declaration import Money
from declarations.domain.office_day import OfficeDay


class NoRate(Exception):
    """A currency has no exchange rate on a day."""

    def __init__(self, currency: str, on: date) -> None:
        super().__init__(f"no exchange rate for {currency} on {on.isoformat()}")


@dataclass(frozen=True, slots=True)
class RateTable:
    """The rates of one period."""

    valid_from: date
    per_unit: Mapping[str, Decimal]
    """Currency → units of the duty currency per unit."""
    valid_until: date | None = None
    """The last day, inclusive; None: open-ended."""


@dataclass(frozen=True, slots=True)
class ExchangeRates:
    currency: str
    """The currency in which duties are paid."""
    tables: tuple[RateTable, ...]
    minor_units: int = 2
    """Number of decimals of `currency`."""

    def find_rate(self, currency: str, on: OfficeDay) -> Decimal | None:
        """Units of `self.currency` per unit of `currency` on a day; None if there is no rate."""
        if currency == self.currency:
            return Decimal(1)
        valid = [
            table
            for table in self.tables
            if currency in table.per_unit
            and table.valid_from <= on
            and (table.valid_until is None or on <= table.valid_until)
        ]
        return max(valid, key=lambda table: table.valid_from).per_unit[currency] if valid else None

    def convert(self, money: Money, on: OfficeDay) -> Decimal:
        """An amount in `self.currency` at the rate of a day, rounded to the minor unit.

        Raises:
            NoRate: the currency has no rate on the day.
        """
        return self.rounded(self.exact(money, on))

    def exact(self, money: Money, on: OfficeDay) -> Decimal:
        """As `convert`, without rounding."""
        rate = self.find_rate(money.currency, on)
        if rate is None:
            raise NoRate(money.currency, on)
        return money.amount * rate

    def rounded(self, amount: Decimal) -> Decimal:
        """An amount rounded half-up to the minor unit."""
        return amount.quantize(Decimal(1).scaleb(-self.minor_units), ROUND_HALF_UP)

    def say(self, money: Money, on: OfficeDay) -> str:
        """An amount for a formula: converted, with rate and day if it was in another currency."""
        amount = format(self.convert(money, on), "f")
        if money.currency == self.currency:
            return amount
        rate = self.find_rate(money.currency, on)
        return f"{amount} ({money.amount:f} {money.currency} × {rate:f} on {on.isoformat()})"
