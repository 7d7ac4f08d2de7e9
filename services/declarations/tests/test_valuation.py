"""The customs value: what a price includes by its trade term, charges by code, stated values, rates by day."""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.declarations.tests.declaration_builders import LAW, NOW, a_declaration, an_item, charge, yuan

from declarations.domain.assessment.duty import assess
from declarations.domain.assessment.exchange import NoRate
from declarations.domain.assessment.trade_terms import TRADE_TERMS, holds_freight, holds_insurance
from declarations.domain.assessment.valuation import ValueUnknown, customs_values
from declarations.domain.charges import DEDUCTIONS, ChargeCode
from declarations.domain.declaration import Charge, Money

D = Decimal
TODAY = LAW.calendar.day(NOW)
RATES = LAW.exchange

HOLDS_NEITHER = ("EXW", "FCA", "FAS", "FOB", "FOR", "FOT", "3", "7")
HOLDS_INSURANCE = ("C&I", "4")
HOLDS_FREIGHT = ("CFR", "CPT", "C&F", "CNF", "2")
HOLDS_BOTH = ("CIF", "CIP", "DAP", "DPU", "DDP", "DAT", "DAF", "DDU", "DEQ", "DES", "1")
DOES_NOT_SAY = ("5", "6")


def day(moment):
    return LAW.calendar.day(datetime.fromisoformat(moment))


def values(on=TODAY, **changes):
    return customs_values(a_declaration(**changes), on, RATES)


def value(**changes):
    (only,) = values(**changes)
    return only


def amounts_of(found):
    return [each.amount for each in found]


@pytest.mark.parametrize("term", (*HOLDS_NEITHER, *DOES_NOT_SAY))
def test_freight_and_estimated_insurance_are_added_to_a_price_without_them(term):
    found = value(incoterm=term, freight=yuan("500"))
    assert found.amount == D("10531.50")
    assert found.formula == "price 10000.00 + freight 500.00 + insurance 31.50 (0.3 %)"


@pytest.mark.parametrize("term", HOLDS_FREIGHT)
def test_only_insurance_is_added_to_a_price_that_includes_freight(term):
    assert value(incoterm=term).amount == D("10030.00")
    assert value(incoterm=term, freight=yuan("500"), insurance=yuan("20")).amount == D("10020.00")


@pytest.mark.parametrize("term", HOLDS_INSURANCE)
def test_only_freight_is_added_to_a_price_that_includes_insurance(term):
    assert value(incoterm=term, freight=yuan("500"), insurance=yuan("20")).amount == D("10500.00")


@pytest.mark.parametrize("term", HOLDS_BOTH)
def test_nothing_is_added_to_a_price_that_includes_carriage_and_insurance(term):
    found = value(incoterm=term, freight=yuan("500"), insurance=yuan("20"))
    assert (found.amount, found.formula) == (D("10000.00"), "price 10000.00")


def test_every_trade_term_is_one_of_these():
    assert set(TRADE_TERMS) == {*HOLDS_NEITHER, *HOLDS_INSURANCE, *HOLDS_FREIGHT, *HOLDS_BOTH, *DOES_NOT_SAY}


def test_without_a_trade_term_stated_costs_are_outside_the_price():
    assert value(incoterm=None, freight=yuan("500"), insurance=yuan("0")).amount == D("10500.00")


def test_stated_insurance_of_zero_is_used():
    assert value(incoterm="CFR", insurance=yuan("0")).amount == D("10000.00")


def test_the_formula_shows_the_rate_and_the_office_s_day():
    dollars = (an_item(price=Money(D("1000"), "USD")),)
    before = values(day("2025-12-31T15:59:59+00:00"), goods=dollars)[0]
    after = values(day("2025-12-31T16:00:00+00:00"), goods=dollars)[0]
    assert (before.amount, before.formula) == (D("7100.00"), "price 7100.00 (1000 USD × 7.10 on 2025-12-31)")
    assert (after.amount, after.formula) == (D("7000.00"), "price 7000.00 (1000 USD × 7.00 on 2026-01-01)")


def test_a_currency_without_a_rate_on_the_day_is_an_error_and_never_one_to_one():
    with pytest.raises(NoRate, match="KWD on 2026-03-02"):
        value(goods=(an_item(price=Money(D("1000"), "KWD")),))
    assert RATES.find_rate("AUD", day("2025-12-30T00:00:00+08:00")) is None
    assert RATES.find_rate("USD", day("2025-11-30T23:59:59+08:00")) is None


def test_an_item_without_a_value_is_an_error_and_never_zero():
    with pytest.raises(ValueUnknown, match="2"):
        values(goods=(an_item(), an_item(number=2, price=None)), total_price=None)


@pytest.mark.parametrize(
    ("changes", "amount", "words"),
    [
        ({"price": None, "customs_value": Money(D(1000), "USD")}, "7000.00",
         "stated customs value 7000.00 (1000 USD × 7.00 on 2026-03-02)"),
        ({"price": None, "statistical_value": yuan("900")}, "900.00", "stated statistical value 900.00"),
        ({"price": None, "customs_value": yuan("800"), "statistical_value": yuan("900")}, "800.00",
         "stated customs value 800.00"),
        ({"statistical_value": yuan("900")}, "10531.50",
         "price 10000.00 + freight 500.00 + insurance 31.50 (0.3 %)"),
        ({"customs_value": yuan("800"), "statistical_value": yuan("900")}, "10531.50",
         "price 10000.00 + freight 500.00 + insurance 31.50 (0.3 %)"),
        ({"customs_value": yuan("800"), "valuation_method": "6"}, "800.00", "stated customs value by method 6 800.00"),
        ({"valuation_method": "4"}, "10000.00", "stated price by method 4 10000.00"),
        ({"customs_value": yuan("800"), "valuation_method": "1"}, "10531.50",
         "price 10000.00 + freight 500.00 + insurance 31.50 (0.3 %)"),
    ],
)  # fmt: skip
def test_a_stated_value_is_the_value_unless_the_method_or_a_price_without_one_starts_from_the_price(
    changes, amount, words
):
    found = value(goods=(an_item(**changes),), incoterm="FOB", freight=yuan("500"))
    assert (found.amount, found.formula) == (D(amount), words)


def test_an_invoice_total_without_prices_is_apportioned_by_mass():
    goods = tuple(an_item(number=number, price=None, gross_mass_kg=D(mass)) for number, mass in ((1, 100), (2, 300)))
    found = values(goods=goods)
    assert amounts_of(found) == [D("2500.00"), D("7500.00")]
    assert found[0].formula == "price 2500.00 of 10000.00"


def test_freight_is_apportioned_by_price_over_the_items_that_are_valued_by_price():
    goods = tuple(an_item(number=number, price=yuan(price)) for number, price in enumerate(("100", "100", "100.01"), 1))
    stated = an_item(number=4, valuation_method="6", customs_value=yuan("70"))
    found = values(goods=(*goods, stated), incoterm="FOB", freight=yuan("100"), insurance=yuan("0"))
    assert amounts_of(found) == [D("133.33"), D("133.33"), D("133.35"), D("70.00")]
    assert found[0].formula == "price 100.00 + freight 33.33 of 100.00"


def test_prices_that_round_to_zero_still_share_the_freight():
    goods = tuple(an_item(number=number, price=Money(D("0.01"), "IRR")) for number in (1, 2))
    found = values(goods=goods, incoterm="FOB", freight=yuan("1"), insurance=yuan("0"), total_price=None)
    assert amounts_of(found) == [D("0.50"), D("0.50")]


def test_additions_and_deductions_are_applied_by_code():
    item = an_item(charges=(charge("BC", "100"), charge("AI", "10", "USD")))
    found = value(goods=(item,), incoterm="DDP", charges=(charge("AK", "50"),))
    assert found.amount == D("10020.00")
    assert found.formula == "price 10000.00 + AK 50.00 − BC 100.00 + AI 70.00 (10 USD × 7.00 on 2026-03-02)"


def test_a_deduction_of_the_whole_declaration_is_apportioned_too():
    goods = (an_item(price=yuan("100")), an_item(number=2, price=yuan("300")))
    found = values(goods=goods, charges=(charge("BA", "40"),), total_price=None)
    assert amounts_of(found) == [D("90.00"), D("270.00")]


@pytest.mark.parametrize("place", ["header", "item"])
def test_freight_stated_by_code_includes_its_insurance(place):
    stated = (charge("AK", "500"),)
    where = {"charges": stated} if place == "header" else {"goods": (an_item(charges=stated),)}
    assert value(incoterm="FOB", **where).amount == D("10500.00")


def test_a_charge_of_zero_does_not_include_the_insurance():
    assert value(incoterm="CFR", charges=(charge("AK", "0"),)).amount == D("10030.00")


def test_air_transport_by_code_is_freight_without_insurance():
    assert value(incoterm="FOB", charges=(charge("AR", "500"),)).amount == D("10531.50")


def test_codes_that_begin_with_b_are_deducted_and_all_others_added():
    assert {code for code in ChargeCode if code.value[0] == "B"} == DEDUCTIONS


amounts = st.decimals("0.01", "100000", places=2)


@settings(deadline=None)
@given(
    prices=st.lists(amounts, min_size=1, max_size=12),
    freight=amounts,
    insurance=st.none() | amounts,
    added=st.none() | amounts,
    term=st.sampled_from(sorted(TRADE_TERMS)),
)
def test_the_values_add_up_to_price_freight_insurance_and_additions(prices, freight, insurance, added, term):
    goods = tuple(an_item(number=number, price=Money(price, "CNY")) for number, price in enumerate(prices, 1))
    found = values(
        goods=goods,
        incoterm=term,
        freight=Money(freight, "CNY"),
        insurance=None if insurance is None else Money(insurance, "CNY"),
        charges=() if added is None else (Charge(ChargeCode.COMMISSIONS, Money(added, "CNY")),),
    )
    carried = sum(prices) + (0 if holds_freight(term) else freight)
    cover = RATES.rounded(carried * D("0.003")) if insurance is None else insurance
    expected = carried + (0 if holds_insurance(term) else cover) + (added or 0)
    assert sum(amounts_of(found)) == expected
    assert all(amount >= price for amount, price in zip(amounts_of(found), prices, strict=True))


def test_duty_is_computed_on_the_value_whose_formula_it_shows():
    lines, _ = assess(a_declaration(incoterm="FOB", freight=yuan("500")), NOW, LAW.tariff, RATES)
    assert lines[0].base == D("10531.50")
    assert "price 10000.00 + freight 500.00 + insurance 31.50" in lines[0].formula
