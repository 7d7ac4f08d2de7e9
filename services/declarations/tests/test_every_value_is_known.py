"""Every declaration that passes the rules is assessed on known values: no exception, never zero, never one to one."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import event, given, settings
from hypothesis import strategies as st
from services.declarations.tests.declaration_builders import LAW, NOW, a_declaration, an_item

from declarations.domain.assessment.duty import assess
from declarations.domain.assessment.trade_terms import TRADE_TERMS, holds_freight, holds_insurance
from declarations.domain.assessment.valuation import stated_value
from declarations.domain.charges import ChargeCode
from declarations.domain.declaration import Charge, Declaration, GoodsItem, Money
from declarations.domain.rules.header import check, check_values

AMOUNTS = st.sampled_from(("0.01", "1", "1.25", "700", "10000", "99999999999999")).map(Decimal)
plain = st.builds(Money, AMOUNTS, st.sampled_from(("CNY", "USD", "GBP", "IRR")))
odd = st.builds(
    Money,
    st.sampled_from(("0", "-1", "705.5", "1E+15")).map(Decimal),
    st.sampled_from(("CNY", "JPY", "KWD", "XXX")),
)


def declarations(money: st.SearchStrategy[Money]) -> st.SearchStrategy[Declaration]:
    """Imports of one to three items with any combination of amounts, methods, masses and terms."""
    maybe = st.none() | money
    charges = st.just(()) | st.lists(st.builds(Charge, st.sampled_from(ChargeCode), money), max_size=2).map(tuple)
    items = st.builds(
        an_item,
        price=money | maybe,
        customs_value=maybe,
        statistical_value=maybe,
        valuation_method=st.sampled_from((None, "1", "1", "2", "6")),
        charges=charges,
        gross_mass_kg=st.sampled_from((None, Decimal(0), Decimal(1100))),
        net_mass_kg=st.none(),
        packages=st.none(),
    )
    goods = st.lists(items, min_size=1, max_size=3)
    return st.builds(
        a_declaration,
        goods=goods.map(lambda found: tuple(replace(item, number=number) for number, item in enumerate(found, 1))),
        currency=st.none(),
        total_gross_mass_kg=st.none(),
        total_packages=st.none(),
        total_price=st.none() | maybe,
        freight=maybe,
        insurance=maybe,
        charges=charges,
        incoterm=st.none() | st.sampled_from(sorted(TRADE_TERMS)),
    )


@given(declaration=declarations(plain) | declarations(plain | odd), hours=st.integers(0, 24 * 400))
@settings(max_examples=400, deadline=None)
def test_a_valid_declaration_is_assessed_on_stated_or_computed_values(declaration, hours):
    lodged_at = NOW + timedelta(hours=hours)
    if check(declaration, lodged_at, LAW):
        event("refused")
        return
    event("taken")
    assert check_values(declaration, lodged_at, LAW) == ()
    lines, total = assess(declaration, lodged_at, LAW.tariff, LAW.exchange)
    bases = {line.item: line.base for line in lines if line.tax == "duty"}
    assert set(bases) == {item.number for item in declaration.goods}
    assert total.amount == sum(line.amount for line in lines)
    for item in declaration.goods:
        assert bases[item.number] > 0
        assert _is_known(declaration, item)
        assert _counts_once(declaration, item)


def _is_known(declaration: Declaration, item: GoodsItem) -> bool:
    """Independent statement of the rules: a stated value, or a price with known carriage to the border."""
    if stated_value(item) is not None:
        return True
    carried = (
        holds_freight(declaration.incoterm) or _above_zero(declaration.freight) or _coded(declaration, item, "AK", "AR")
    )
    priced = item.price is not None or declaration.total_price is not None
    return priced and carried


def _counts_once(declaration: Declaration, item: GoodsItem) -> bool:
    """Freight and insurance are stated by field or by a charge code, not by both."""
    if stated_value(item) is not None:
        return True
    freight = _above_zero(declaration.freight) and not holds_freight(declaration.incoterm)
    insurance = _above_zero(declaration.insurance) and not holds_insurance(declaration.incoterm)
    return not (freight and _coded(declaration, item, "AK", "AR")) and not (
        insurance and _coded(declaration, item, "AK")
    )


def _above_zero(money: Money | None) -> bool:
    return money is not None and money.amount > 0


def _coded(declaration: Declaration, item: GoodsItem, *codes: str) -> bool:
    return any(charge.code in codes and charge.amount.amount > 0 for charge in (*declaration.charges, *item.charges))


@settings(deadline=None)
@given(price=st.decimals("0.01", "1000000", places=2), currency=st.sampled_from(sorted(LAW.codes.currencies)))
def test_a_currency_is_converted_at_its_rate_or_not_at_all(price, currency):
    whole = Money(Decimal(int(price) + 1), currency)
    declaration = a_declaration(goods=(an_item(price=whole),), currency=None, total_price=None)
    errors = {error.code for error in check(declaration, NOW, LAW)}
    rate = LAW.exchange.find_rate(currency, LAW.calendar.day(NOW))
    if rate is None:
        assert errors == {"declaration.currency.no_rate"}
    elif LAW.exchange.rounded(whole.amount * rate) == 0:
        assert errors == {"declaration.value.rounds_to_nothing"}
    else:
        assert errors == set()
        base = assess(declaration, NOW, LAW.tariff, LAW.exchange)[0][0].base
        assert base == LAW.exchange.rounded(whole.amount * rate)
