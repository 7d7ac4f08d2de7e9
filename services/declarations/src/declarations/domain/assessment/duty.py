"""Duties and taxes: ad valorem duty and import VAT on the customs value. Decimal only.

    duty = customs value × rate        VAT = (customs value + duty) × rate

Each tax of each item is base × rate, rounded half-up to the currency's minor unit separately; the total
is the sum of the lines, without carrying rounding differences between lines. Tariff and exchange rates
are those of the legal date, a day at the office. Source: China's import rules (value-added tax on value
plus duty); the customs value is computed in `valuation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from declarations.domain.assessment.exchange import ExchangeRates
from declarations.domain.assessment.valuation import customs_values
from declarations.domain.declaration import Declaration, Direction, GoodsItem, Money
from declarations.domain.office_day import OfficeCalendar, OfficeDay
from declarations.domain.state import AssessmentLine
from declarations.domain.validity import has_valid_certificate

DAILY_FEE = Decimal("0.0005")
_FEE_WAIVED_UNDER = Decimal(50)


@dataclass(frozen=True, slots=True)
class TariffRate:
    """The rates of one heading; the longest valid prefix applies."""

    prefix: str
    duty: Decimal
    vat: Decimal
    valid_from: date
    valid_until: date | None = None
    preferences: Mapping[str, Decimal] = field(default_factory=dict)
    """Duty rate by preference code, for goods with a certificate."""


@dataclass(frozen=True, slots=True)
class Tariff:
    name: str
    rates: tuple[TariffRate, ...]
    """Includes one with an empty prefix, for everything else."""
    calendar: OfficeCalendar
    """The calendar in which validity dates are days."""

    def rate(self, commodity_code: str, on: OfficeDay) -> TariffRate:
        """The rate of a code on a day."""
        valid = (
            rate
            for rate in self.rates
            if commodity_code.startswith(rate.prefix)
            and rate.valid_from <= on
            and (rate.valid_until is None or on <= rate.valid_until)
        )
        return max(valid, key=lambda rate: len(rate.prefix))


def assess(
    declaration: Declaration, accepted_at: datetime, tariff: Tariff, exchange: ExchangeRates
) -> tuple[tuple[AssessmentLine, ...], Money]:
    """Every tax of every goods item, and their sum, at the rates of the office's day. Exports are not taxed.

    Raises:
        ValueUnknown, NoRate: the declaration breaks a rule of values on that day.
    """
    if declaration.direction is Direction.EXPORT:
        return (), Money(Decimal(0), exchange.currency)
    on = tariff.calendar.day(accepted_at)
    values = customs_values(declaration, on, exchange)
    rates = [tariff.rate(item.commodity_code, on) for item in declaration.goods]
    proven = [has_valid_certificate(declaration, item, on, tariff.calendar) for item in declaration.goods]
    duty_rates = [
        _duty_rate(item, rate, proven=each) for item, rate, each in zip(declaration.goods, rates, proven, strict=True)
    ]
    duties = tax_lines(
        "duty",
        [item.number for item in declaration.goods],
        [value.amount for value in values],
        duty_rates,
        [f"customs value {_digits(value.amount)} ({value.formula})" for value in values],
        exchange,
    )
    vats = tax_lines(
        "vat",
        [item.number for item in declaration.goods],
        [value.amount + duty.amount for value, duty in zip(values, duties, strict=True)],
        [rate.vat for rate in rates],
        [
            f"(customs value {_digits(value.amount)} + duty {_digits(duty.amount)})"
            for value, duty in zip(values, duties, strict=True)
        ],
        exchange,
    )
    lines = tuple(line for pair in zip(duties, vats, strict=True) for line in pair)
    return lines, Money(sum((line.amount for line in lines), Decimal(0)), exchange.currency)


def _duty_rate(item: GoodsItem, rate: TariffRate, *, proven: bool) -> Decimal:
    if item.preference is not None and proven:
        return rate.preferences.get(item.preference.code, rate.duty)
    return rate.duty


def tax_lines(
    tax: str,
    items: Sequence[int],
    bases: Sequence[Decimal],
    rates: Sequence[Decimal],
    origins: Sequence[str],
    exchange: ExchangeRates,
) -> list[AssessmentLine]:
    """One tax on every item, each rounded separately; `origins` are the formulas of the bases."""
    amounts = [exchange.rounded(base * rate) for base, rate in zip(bases, rates, strict=True)]
    return [
        AssessmentLine(
            item=item,
            tax=tax,
            base=base,
            rate=rate,
            formula=f"{origin} × {_percent(rate)} % = {_digits(amount)}",
            amount=amount,
        )
        for item, base, rate, origin, amount in zip(items, bases, rates, origins, amounts, strict=True)
    ]


def daily_late_fee(unpaid: Decimal) -> Decimal:
    """The fee for one day of late payment, to 0.01."""
    return (unpaid * DAILY_FEE).quantize(Decimal("0.01"), ROUND_HALF_UP)


def late_payment_fee(unpaid: Decimal, *, days: int) -> Decimal:
    """0.05 % of the unpaid duty per day, to 0.01, waived below 50."""
    fee = (unpaid * DAILY_FEE * days).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return fee if fee >= _FEE_WAIVED_UNDER else Decimal(0)


def late_lodging_fee(customs_value: Decimal, *, days: int) -> Decimal:
    """0.05 % of the customs value per day, fractions dropped, waived below 50."""
    fee = (customs_value * DAILY_FEE * days).quantize(Decimal(1), ROUND_DOWN)
    return fee if fee >= _FEE_WAIVED_UNDER else Decimal(0)


def _digits(number: Decimal) -> str:
    """Digits without an exponent."""
    return format(number, "f")


def _percent(rate: Decimal) -> str:
    """A fraction as a percentage, without trailing zeros."""
    return format((rate * 100).normalize(), "f")
