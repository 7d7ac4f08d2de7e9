"""Duties and taxes: customs value, ad valorem duty, import VAT. Decimal only.

    customs value (CIF) = price + freight + insurance;  insurance unknown: 0.3 % × (price + freight)
    duty = customs value × rate        VAT = (customs value + duty) × rate

Freight and insurance are apportioned by value. Each tax of each item is base × rate, rounded half-up
to the currency's minor unit by itself; the total is the sum of the lines, and no line takes what
another was rounded by. Tariff and exchange rates are those of the legal date. Sources: the WTO
Customs Valuation Agreement, article 8 (value at the border), and China's import rules (insurance
unknown at 0.3 %, value-added tax on value plus duty).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from declarations.domain.apportion import apportion
from declarations.domain.declaration import Declaration, Direction, GoodsItem, Money
from declarations.domain.document_rules import has_valid_certificate
from declarations.domain.office_day import OfficeCalendar, OfficeDay
from declarations.domain.state import AssessmentLine

UNKNOWN_INSURANCE = Decimal("0.003")
_INSURED = frozenset({"CIF", "CIP", "DAP", "DPU", "DAT", "DDP"})
"""Rules whose price contains insurance to the border."""

DAILY_FEE = Decimal("0.0005")
_FEE_WAIVED_UNDER = Decimal(50)


@dataclass(frozen=True, slots=True)
class TariffRate:
    """What one heading pays; the longest prefix that is valid on the day counts."""

    prefix: str
    duty: Decimal
    vat: Decimal
    valid_from: date
    valid_until: date | None = None
    preferences: Mapping[str, Decimal] = field(default_factory=dict)
    """Duty by preference code, for goods with a certificate."""


@dataclass(frozen=True, slots=True)
class Tariff:
    name: str
    rates: tuple[TariffRate, ...]
    """With one of an empty prefix, for everything else."""
    calendar: OfficeCalendar
    """Of the days that rates are valid by."""

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


@dataclass(frozen=True, slots=True)
class ExchangeRates:
    currency: str
    """What duties are paid in."""
    per_unit: Mapping[str, Decimal]
    """Units of `currency` for one of another."""
    minor_units: int = 2

    def convert(self, money: Money) -> Decimal:
        """An amount in `currency`, unrounded; a currency without a rate counts one to one."""
        return money.amount * self.per_unit.get(money.currency, Decimal(1))

    def rounded(self, amount: Decimal) -> Decimal:
        return amount.quantize(Decimal(1).scaleb(-self.minor_units), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class CustomsValue:
    """The customs value of one goods item, with how it came about."""

    amount: Decimal
    formula: str


def assess(
    declaration: Declaration, accepted_at: datetime, tariff: Tariff, exchange: ExchangeRates
) -> tuple[tuple[AssessmentLine, ...], Money]:
    """Every tax of every goods item, and their sum, by the rates of the office's day. Exports pay nothing."""
    if declaration.direction is Direction.EXPORT:
        return (), Money(Decimal(0), exchange.currency)
    on = tariff.calendar.day(accepted_at)
    values = customs_values(declaration, exchange)
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
        [f"customs value {_say(value.amount)} ({value.formula})" for value in values],
        exchange,
    )
    vats = tax_lines(
        "vat",
        [item.number for item in declaration.goods],
        [value.amount + duty.amount for value, duty in zip(values, duties, strict=True)],
        [rate.vat for rate in rates],
        [
            f"(customs value {_say(value.amount)} + duty {_say(duty.amount)})"
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
    """One tax on every item, each rounded by itself; `origins` say what each base is made of."""
    amounts = [exchange.rounded(base * rate) for base, rate in zip(bases, rates, strict=True)]
    return [
        AssessmentLine(
            item=item,
            tax=tax,
            base=base,
            rate=rate,
            formula=f"{origin} × {_percent(rate)} % = {_say(amount)}",
            amount=amount,
        )
        for item, base, rate, origin, amount in zip(items, bases, rates, origins, amounts, strict=True)
    ]


def customs_values(declaration: Declaration, exchange: ExchangeRates) -> list[CustomsValue]:
    """The customs value of each goods item: as the declarant states it, else price, freight and insurance."""
    stated = [item.customs_value for item in declaration.goods]
    prices = _prices(declaration, exchange)
    computed = [price if value is None else Decimal(0) for price, value in zip(prices, stated, strict=True)]
    freight = exchange.convert(declaration.freight) if declaration.freight else Decimal(0)
    insurance = _insurance(declaration, sum(computed, Decimal(0)) + freight, exchange)
    freights = _shares(freight, computed, exchange)
    insurances = _shares(insurance, computed, exchange)
    values = []
    for own, price, part, cover in zip(stated, prices, freights, insurances, strict=True):
        if own is not None:
            values.append(CustomsValue(exchange.rounded(exchange.convert(own)), f"stated {_money(own)}"))
            continue
        parts = [f"price {_say(exchange.rounded(price))}"]
        parts += [f"freight {_say(part)}"] if part else []
        parts += [f"insurance {_say(cover)}"] if cover else []
        values.append(CustomsValue(exchange.rounded(price) + part + cover, " + ".join(parts)))
    return values


def _insurance(declaration: Declaration, price_and_freight: Decimal, exchange: ExchangeRates) -> Decimal:
    if declaration.insurance is not None:
        return exchange.convert(declaration.insurance)
    if declaration.incoterm in _INSURED:
        return Decimal(0)
    return price_and_freight * UNKNOWN_INSURANCE


def _prices(declaration: Declaration, exchange: ExchangeRates) -> list[Decimal]:
    """Item prices; where no item has one, the invoice total spread by gross mass, else evenly."""
    if declaration.total_price is None or any(item.price or item.customs_value for item in declaration.goods):
        return [exchange.convert(item.price) if item.price else Decimal(0) for item in declaration.goods]
    weights = [item.gross_mass_kg or Decimal(0) for item in declaration.goods]
    if not any(weights):
        weights = [Decimal(1)] * len(declaration.goods)
    return _shares(exchange.convert(declaration.total_price), weights, exchange)


def _shares(total: Decimal, weights: Sequence[Decimal], exchange: ExchangeRates) -> list[Decimal]:
    if not any(weights):
        return [Decimal(0)] * len(weights)
    return apportion(exchange.rounded(total), weights, minor_units=exchange.minor_units)


def daily_late_fee(unpaid: Decimal) -> Decimal:
    """What one day of late payment costs, to 0.01."""
    return (unpaid * DAILY_FEE).quantize(Decimal("0.01"), ROUND_HALF_UP)


def late_payment_fee(unpaid: Decimal, *, days: int) -> Decimal:
    """0.05 % of the unpaid duty a day, to 0.01, waived under 50."""
    fee = (unpaid * DAILY_FEE * days).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return fee if fee >= _FEE_WAIVED_UNDER else Decimal(0)


def late_lodging_fee(customs_value: Decimal, *, days: int) -> Decimal:
    """0.05 % of the customs value a day, fractions dropped, waived under 50."""
    fee = (customs_value * DAILY_FEE * days).quantize(Decimal(1), ROUND_DOWN)
    return fee if fee >= _FEE_WAIVED_UNDER else Decimal(0)


def _money(money: Money) -> str:
    return f"{_say(money.amount)} {money.currency}"


def _say(number: Decimal) -> str:
    """Digits without an exponent."""
    return format(number, "f")


def _percent(rate: Decimal) -> str:
    """A fraction as a percentage, without zeros that say nothing."""
    return format((rate * 100).normalize(), "f")
