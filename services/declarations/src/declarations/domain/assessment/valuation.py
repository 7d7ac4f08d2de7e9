"""The customs value of each goods item, with its formula. Unknown is never zero and never one.

    transaction value = price + freight + insurance to the border + additions − deductions
    insurance unknown: 0.3 % × (price + freight)

Method 1, or a price without a method, starts from the price; the trade term (`trade_terms`) and the code of
each charge (`charges`) decide what is added. Otherwise the value is the stated customs value, or else the
statistical value, or else (methods 2 to 6) the item's amount; nothing is added to it. An invoice total without
item prices is apportioned by gross mass. Amounts of the whole declaration are apportioned by price over the
items that are valued by price. Each amount is converted at the rate of the day and rounded to the minor unit.
Sources: WTO Customs Valuation Agreement, articles 1 to 8; China's rules for the assessment of dutiable value.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from declarations.domain.assessment.apportion import apportion
from declarations.domain.assessment.exchange import ExchangeRates
from declarations.domain.assessment.trade_terms import holds_freight, holds_insurance
from declarations.domain.charges import DEDUCTIONS, STATES_FREIGHT, STATES_INSURANCE, ChargeCode
from declarations.domain.declaration import Charge, Declaration, GoodsItem, Money
from declarations.domain.office_day import OfficeDay

UNKNOWN_INSURANCE = Decimal("0.003")
TRANSACTION_VALUE = "1"
"""The valuation method that starts from the price."""


class ValueUnknown(Exception):
    """An item has no value, no price and no share of an invoice total."""


@dataclass(frozen=True, slots=True)
class CustomsValue:
    """The customs value of one goods item in the duty currency."""

    amount: Decimal
    formula: str


@dataclass(frozen=True, slots=True)
class _Term:
    """One signed amount of a transaction value."""

    amount: Decimal
    words: str


def stated_value(item: GoodsItem) -> tuple[str, Money] | None:
    """The field with the stated value, and the value; None if it is computed from a price."""
    method = item.valuation_method
    if method == TRANSACTION_VALUE or (not method and item.price is not None):
        return None
    names = ("customs_value", "statistical_value", "price")
    return next(((name, money) for name in names if (money := getattr(item, name)) is not None), None)


def valued_by_price(declaration: Declaration) -> list[GoodsItem]:
    """The items whose value is computed."""
    return [item for item in declaration.goods if stated_value(item) is None]


def total_is_apportioned(declaration: Declaration) -> bool:
    """Whether the invoice total replaces item prices: no item states any, and each item's share is known."""
    if declaration.total_price is None or any(item.price or stated_value(item) for item in declaration.goods):
        return False
    return len(declaration.goods) == 1 or all((item.gross_mass_kg or 0) > 0 for item in declaration.goods)


def freight_is_stated(declaration: Declaration) -> bool:
    """Whether carriage to the border is stated, above zero, for all items that are valued by price."""
    freight = declaration.freight
    return (freight is not None and freight.amount > 0) or _charged(declaration, STATES_FREIGHT)


def customs_values(declaration: Declaration, on: OfficeDay, exchange: ExchangeRates) -> list[CustomsValue]:
    """The customs value of each goods item at the rates of a day.

    Raises:
        ValueUnknown: an item has no value; the rules of values exclude this.
        NoRate: a currency has no rate on the day.
    """
    computed = iter(_transaction_values(declaration, on, exchange))
    return [
        next(computed) if (stated := stated_value(item)) is None else _as_stated(item, *stated, on, exchange)
        for item in declaration.goods
    ]


def _as_stated(item: GoodsItem, name: str, money: Money, on: OfficeDay, exchange: ExchangeRates) -> CustomsValue:
    method = f" by method {item.valuation_method}" if item.valuation_method else ""
    words = f"stated {name.replace('_', ' ')}{method} {exchange.say(money, on)}"
    return CustomsValue(exchange.convert(money, on), words)


def _transaction_values(declaration: Declaration, on: OfficeDay, exchange: ExchangeRates) -> list[CustomsValue]:
    items = valued_by_price(declaration)
    if not items:
        return []
    prices, weights = _prices(declaration, items, on, exchange)
    price = sum((price.amount for price in prices), Decimal(0))
    shared = _of_all_items(declaration, items, price, on, exchange)
    shares = [_spread(term, weights, exchange) for term in shared]
    own = [list(_charges(item.charges, on, exchange)) for item in items]
    return [
        _summed([price, *(share[index] for share in shares), *charges])
        for index, (price, charges) in enumerate(zip(prices, own, strict=True))
    ]


def _prices(
    declaration: Declaration, items: Sequence[GoodsItem], on: OfficeDay, exchange: ExchangeRates
) -> tuple[list[_Term], list[Decimal]]:
    """The price of each item, and the weights for apportioning amounts of the whole declaration."""
    total = declaration.total_price
    if total is not None and total_is_apportioned(declaration):
        masses = [item.gross_mass_kg or Decimal(1) for item in items]
        return _spread(_term("price", total, on, exchange), masses, exchange), masses
    prices = [item.price for item in items if item.price is not None]
    if len(prices) != len(items):
        raise ValueUnknown([item.number for item in items if item.price is None])
    return [_term("price", price, on, exchange) for price in prices], [exchange.exact(price, on) for price in prices]


def _term(name: str, money: Money, on: OfficeDay, exchange: ExchangeRates) -> _Term:
    return _Term(exchange.convert(money, on), f"{name} {exchange.say(money, on)}")


def _of_all_items(
    declaration: Declaration, items: Iterable[GoodsItem], price: Decimal, on: OfficeDay, exchange: ExchangeRates
) -> Iterator[_Term]:
    """Freight, insurance and charges of the whole declaration."""
    freight = sum(
        (
            exchange.convert(charge.amount, on)
            for charge in (*declaration.charges, *(each for item in items for each in item.charges))
            if charge.code in STATES_FREIGHT
        ),
        Decimal(0),
    )
    if declaration.freight is not None and not holds_freight(declaration.incoterm):
        freight += exchange.convert(declaration.freight, on)
        yield _term("freight", declaration.freight, on, exchange)
    if not holds_insurance(declaration.incoterm) and not _charged(declaration, STATES_INSURANCE):
        yield _insurance(declaration.insurance, price + freight, on, exchange)
    yield from _charges(declaration.charges, on, exchange)


def _insurance(stated: Money | None, price_and_freight: Decimal, on: OfficeDay, exchange: ExchangeRates) -> _Term:
    if stated is not None:
        return _term("insurance", stated, on, exchange)
    share = exchange.rounded(price_and_freight * UNKNOWN_INSURANCE)
    return _Term(share, f"insurance {share:f} (0.3 %)")


def _charged(declaration: Declaration, codes: frozenset[ChargeCode]) -> bool:
    """Whether the header, or every item that is valued by price, has a charge of these codes above zero."""
    if _state(declaration.charges, codes):
        return True
    items = valued_by_price(declaration)
    return bool(items) and all(_state(item.charges, codes) for item in items)


def _state(charges: Iterable[Charge], codes: frozenset[ChargeCode]) -> bool:
    return any(charge.code in codes and charge.amount.amount > 0 for charge in charges)


def _charges(charges: Iterable[Charge], on: OfficeDay, exchange: ExchangeRates) -> Iterator[_Term]:
    for charge in charges:
        term = _term(charge.code.value, charge.amount, on, exchange)
        yield replace(term, amount=-term.amount) if charge.code in DEDUCTIONS else term


def _spread(whole: _Term, weights: Sequence[Decimal], exchange: ExchangeRates) -> list[_Term]:
    """The signed shares of an amount; the formula of a partial share names the whole."""
    name, _, rest = whole.words.partition(" ")
    shares = apportion(abs(whole.amount), weights, minor_units=exchange.minor_units)
    return [
        _Term(
            share.copy_sign(whole.amount),
            whole.words if share == abs(whole.amount) else f"{name} {share:f} of {rest}",
        )
        for share in shares
    ]


def _summed(terms: Sequence[_Term]) -> CustomsValue:
    first, *others = terms
    words = [first.words, *(f"{'−' if term.amount < 0 else '+'} {term.words}" for term in others if term.amount)]
    return CustomsValue(sum((term.amount for term in terms), Decimal(0)), " ".join(words))
