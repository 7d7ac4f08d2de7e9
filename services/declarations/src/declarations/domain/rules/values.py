"""The rules of values: everything the customs value needs is stated, and can be converted on a day.

They are checked at lodging for that day, and again at acceptance for the day of acceptance, whose rates
the assessment uses. An export is not assessed, so it may lack prices and its currencies need no rate. A
price of zero is not a sale (WTO Customs Valuation Agreement, article 1): such goods are valued by
methods 2 to 6. See `header` for the conventions of rules.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from declarations.domain.assessment.exchange import ExchangeRates
from declarations.domain.assessment.trade_terms import TRADE_TERMS, holds_freight, holds_insurance
from declarations.domain.assessment.valuation import (
    customs_values,
    freight_is_stated,
    stated_value,
    total_is_apportioned,
    valued_by_price,
)
from declarations.domain.charges import DEDUCTIONS, STATES_FREIGHT, STATES_INSURANCE
from declarations.domain.declaration import Charge, Declaration, Direction, Money
from declarations.domain.office_day import OfficeDay
from declarations.domain.state import RuleError


class Amount(NamedTuple):
    """An amount of money with the pointer to it."""

    pointer: str
    money: Money


def amounts(declaration: Declaration) -> Iterator[Amount]:
    """Every amount of money in a declaration."""
    for name in ("total_price", "freight", "insurance"):
        money = getattr(declaration, name)
        if money is not None:
            yield Amount(f"/{name}", money)
    for place, charge in enumerate(declaration.charges):
        yield Amount(f"/charges/{place}/amount", charge.amount)
    for index, item in enumerate(declaration.goods):
        for name in ("price", "customs_value", "statistical_value"):
            money = getattr(item, name)
            if money is not None:
                yield Amount(f"/goods/{index}/{name}", money)
        for place, charge in enumerate(item.charges):
            yield Amount(f"/goods/{index}/charges/{place}/amount", charge.amount)


def amounts_have_their_form(declaration: Declaration, currencies: Mapping[str, int]) -> Iterator[RuleError]:
    """Amounts are not negative, in a currency of ISO 4217, with no more decimals than the currency has.

    Trailing zeros are not decimals: 705.00 yen is 705.
    """
    for pointer, money in amounts(declaration):
        amount = format(money.amount, "f")
        if money.amount < 0:
            yield RuleError("declaration.value.negative", f"{pointer}/amount", amount)
        decimals = currencies.get(money.currency)
        if decimals is None:
            yield RuleError("declaration.currency.unknown", f"{pointer}/currency", money.currency)
        elif len(amount.partition(".")[2].rstrip("0")) > decimals:
            limits = {"currency": money.currency, "decimals": str(decimals)}
            yield RuleError("declaration.currency.decimals", f"{pointer}/amount", amount, limits)


def value_errors(
    declaration: Declaration, on: OfficeDay, exchange: ExchangeRates, currencies: Mapping[str, int]
) -> tuple[RuleError, ...]:
    """Errors that prevent computing the customs values of an import on a day."""
    if declaration.direction is not Direction.IMPORT:
        return ()
    return (
        *_items_have_a_value(declaration),
        *_carriage_is_known(declaration),
        *_carriage_counts_once(declaration),
        *_currencies_have_a_rate(declaration, on, exchange, currencies),
    )


def zero_value_errors(declaration: Declaration, on: OfficeDay, exchange: ExchangeRates) -> Iterator[RuleError]:
    """Items whose value is zero after deductions or rounding; checked only if no other rule is broken."""
    if declaration.direction is not Direction.IMPORT:
        return
    of_all = _deducts(declaration.charges)
    values = customs_values(declaration, on, exchange)
    for index, (item, value) in enumerate(zip(declaration.goods, values, strict=True)):
        if value.amount > 0:
            continue
        named = {"item": str(item.number)}
        if stated_value(item) is None and (of_all or _deducts(item.charges)):
            yield RuleError("declaration.value.deducted_away", f"/goods/{index}", format(value.amount, "f"), named)
            continue
        name, money = stated_value(item) or ("price", item.price)
        pointer = f"/goods/{index}/{name}/amount" if money else "/total_price/amount"
        money = money or declaration.total_price
        rate = exchange.find_rate(money.currency, on) if money else None
        if money and rate is not None:
            named |= {"amount": f"{money.amount:f} {money.currency}", "rate": format(rate, "f")}
        yield RuleError("declaration.value.rounds_to_nothing", pointer, format(value.amount, "f"), named)


def _deducts(charges: tuple[Charge, ...]) -> bool:
    return any(charge.code in DEDUCTIONS for charge in charges)


def _items_have_a_value(declaration: Declaration) -> Iterator[RuleError]:
    apportioned = total_is_apportioned(declaration)
    for index, item in enumerate(declaration.goods):
        stated, named = stated_value(item), {"item": str(item.number)}
        name, money = stated or ("price", item.price)
        if money is not None and not money.amount:
            pointer = f"/goods/{index}/{name}/amount"
            yield RuleError("declaration.value.zero", pointer, format(money.amount, "f"), named)
        elif money is None and not apportioned:
            yield RuleError("declaration.value.missing", f"/goods/{index}/price", None, named)
    if apportioned and declaration.total_price is not None and not declaration.total_price.amount:
        yield RuleError("declaration.total_price.zero", "/total_price/amount", "0")


def _carriage_is_known(declaration: Declaration) -> Iterator[RuleError]:
    """The price includes the freight to the border by its trade term, or the freight is stated."""
    if not valued_by_price(declaration) or freight_is_stated(declaration):
        return
    term = declaration.incoterm
    if term is not None and (term not in TRADE_TERMS or holds_freight(term)):
        return
    zeros = list(_carriage_of_zero(declaration))
    if zeros:
        yield from (RuleError("declaration.freight.zero", pointer, "0") for pointer in zeros)
    elif term is None:
        yield RuleError("declaration.incoterm.missing", "/incoterm")
    else:
        yield RuleError("declaration.freight.missing", "/freight", None, {"term": term})


def _carriage_of_zero(declaration: Declaration) -> Iterator[str]:
    """Pointers to carriage to the border stated as zero."""
    if declaration.freight is not None and not declaration.freight.amount:
        yield "/freight/amount"
    for pointer, charge in _charges_that_count(declaration):
        if charge.code in STATES_FREIGHT and not charge.amount.amount:
            yield f"{pointer}/amount"


def _carriage_counts_once(declaration: Declaration) -> Iterator[RuleError]:
    """Freight or insurance in a charge is not stated by field too, unless the price includes it and it is not added."""
    if not valued_by_price(declaration):
        return
    term = declaration.incoterm
    for code, name, codes, in_price in (
        ("declaration.freight.twice", "freight", STATES_FREIGHT, holds_freight(term)),
        ("declaration.insurance.twice", "insurance", STATES_INSURANCE, holds_insurance(term)),
    ):
        money = getattr(declaration, name)
        if money is None or money.amount <= 0 or in_price:
            continue
        for pointer, charge in _charges_that_count(declaration):
            if charge.code in codes and charge.amount.amount > 0:
                also = {"kind": charge.code.value, "charge": pointer}
                yield RuleError(code, f"/{name}", format(money.amount, "f"), also)


def _charges_that_count(declaration: Declaration) -> Iterator[tuple[str, Charge]]:
    """The charges of the header and of items valued by price, with their pointers."""
    for place, charge in enumerate(declaration.charges):
        yield f"/charges/{place}", charge
    for index, item in enumerate(declaration.goods):
        if stated_value(item) is None:
            yield from ((f"/goods/{index}/charges/{place}", charge) for place, charge in enumerate(item.charges))


def _currencies_have_a_rate(
    declaration: Declaration, on: OfficeDay, exchange: ExchangeRates, currencies: Mapping[str, int]
) -> Iterator[RuleError]:
    """Currencies without a rate; invalid currency codes are reported by `amounts_have_their_form`."""
    for pointer, money in amounts(declaration):
        if money.currency in currencies and exchange.find_rate(money.currency, on) is None:
            missing = {"currency": money.currency, "day": on.isoformat()}
            yield RuleError("declaration.currency.no_rate", f"{pointer}/currency", money.currency, missing)
