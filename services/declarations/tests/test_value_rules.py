"""The values that a declaration must state, and what happens without them, at lodging and at acceptance."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from services.declarations.tests.declaration_builders import (
    ARRIVED,
    DOCUMENTS_OK,
    GATE_IN,
    LAW,
    NOW,
    a_declaration,
    an_item,
    answer,
    charge,
    export,
    in_lane,
    lodge,
    names,
    note,
    run,
    yuan,
)

from declarations.domain import size_limits
from declarations.domain.assessment.duty import assess
from declarations.domain.assessment.exchange import RateTable
from declarations.domain.assessment.trade_terms import TRADE_TERMS, holds_freight
from declarations.domain.claims import Kind
from declarations.domain.declaration import Money, Quantity
from declarations.domain.evolve import evolve
from declarations.domain.life import decide
from declarations.domain.rules.codes import warn
from declarations.domain.rules.header import MAX_VALUE, check
from declarations.domain.state import CaseReason, Lane, Status

D = Decimal
UNPRICED = an_item(price=None)


def found(declaration, at=NOW):
    return {(error.code.removeprefix("declaration."), error.pointer) for error in check(declaration, at, LAW)}


def priced(amount, currency, **changes):
    return a_declaration(goods=(an_item(price=Money(D(amount), currency), **changes),), currency=None, total_price=None)


def unpriced(*goods):
    return a_declaration(goods=goods, total_price=None, total_gross_mass_kg=None, total_packages=None)


def test_an_import_without_any_value_is_refused_item_by_item_and_never_released():
    bare = unpriced(UNPRICED, replace(UNPRICED, number=2))
    assert found(bare) == {("value.missing", "/goods/0/price"), ("value.missing", "/goods/1/price")}
    state, events = run([lodge(bare), ARRIVED, GATE_IN])
    assert state.status is Status.REJECTED
    assert "Released" not in names(events)


def test_an_item_without_a_price_is_named_if_another_has_one():
    (error,) = check(unpriced(an_item(), replace(UNPRICED, number=2)), NOW, LAW)
    assert (error.code, error.pointer, error.parameters) == (
        "declaration.value.missing", "/goods/1/price", {"item": "2"},
    )  # fmt: skip


@pytest.mark.parametrize("changes", [{}, {"valuation_method": "1"}], ids=["no_method", "method_1"])
def test_a_price_of_zero_is_no_value(changes):
    assert found(priced("0.00", "CNY", **changes)) == {("value.zero", "/goods/0/price/amount")}


def test_goods_without_payment_are_valued_by_another_method():
    free = priced("0", "CNY", valuation_method="6", customs_value=yuan("120"))
    assert found(free) == set()
    assert assess(free, NOW, LAW.tariff, LAW.exchange)[0][0].base == D("120.00")


def test_a_stated_value_of_zero_is_no_value():
    zero = priced("5", "CNY", valuation_method="6", customs_value=yuan("0"))
    assert found(zero) == {("value.zero", "/goods/0/customs_value/amount")}


def test_a_stated_value_does_not_replace_a_price_under_method_1():
    stated = a_declaration(goods=(replace(UNPRICED, valuation_method="1", customs_value=yuan("5")),), total_price=None)
    assert found(stated) == {("value.missing", "/goods/0/price")}


@pytest.mark.parametrize("mass", [None, D(0)], ids=["no_mass", "mass_of_zero"])
def test_an_invoice_total_is_apportioned_only_if_every_mass_is_known(mass):
    goods = (UNPRICED, replace(UNPRICED, number=2, gross_mass_kg=mass, net_mass_kg=None))
    spread = a_declaration(goods=goods, total_gross_mass_kg=None, total_packages=None)
    assert found(spread) == {("value.missing", "/goods/0/price"), ("value.missing", "/goods/1/price")}
    whole = (UNPRICED, replace(UNPRICED, number=2))
    assert found(replace(spread, goods=whole)) == set()


def test_the_total_of_the_only_item_is_its_price_without_any_mass():
    only = a_declaration(goods=(replace(UNPRICED, gross_mass_kg=None, net_mass_kg=None),))
    assert found(only) == set()
    assert found(replace(only, total_price=yuan("0"))) == {("total_price.zero", "/total_price/amount")}


@pytest.mark.parametrize("term", sorted(term for term in TRADE_TERMS if not holds_freight(term)))
def test_a_price_that_excludes_freight_needs_stated_freight(term):
    bare = a_declaration(incoterm=term)
    assert ("freight.missing", "/freight") in found(bare)
    assert ("freight.missing", "/freight") not in found(replace(bare, freight=yuan("1")))
    assert ("freight.missing", "/freight") not in found(replace(bare, charges=(charge("AK", "1"),)))


@pytest.mark.parametrize("term", sorted(filter(holds_freight, TRADE_TERMS)))
def test_a_price_that_includes_freight_needs_none(term):
    assert "freight.missing" not in {code for code, _ in found(a_declaration(incoterm=term))}


def test_without_a_trade_term_the_freight_must_be_stated():
    assert found(a_declaration(incoterm=None)) == {("incoterm.missing", "/incoterm")}
    assert found(a_declaration(incoterm=None, freight=yuan("1"))) == set()


@pytest.mark.parametrize("term", [None, "FOB", "5"])
def test_freight_of_zero_counts_as_missing_by_field_or_by_code(term):
    nothing = charge("AK", "0")
    assert found(a_declaration(incoterm=term, freight=yuan("0"))) == {("freight.zero", "/freight/amount")}
    assert found(a_declaration(incoterm=term, charges=(nothing,))) == {("freight.zero", "/charges/0/amount")}
    half = unpriced(an_item(charges=(charge("AR", "5"),)), an_item(number=2, charges=(nothing,)))
    assert found(replace(half, incoterm=term)) == {("freight.zero", "/goods/1/charges/0/amount")}
    assert found(a_declaration(incoterm=term, freight=yuan("5"), charges=(nothing,))) == set()


def test_freight_of_zero_is_allowed_with_a_price_that_includes_it():
    assert found(a_declaration(incoterm="CFR", freight=yuan("0"))) == set()


TWICE = [
    ("FOB", "insurance", "AK", {"insurance.twice"}),
    ("CFR", "insurance", "AK", {"insurance.twice"}),
    (None, "insurance", "AK", {"insurance.twice"}),
    ("CIF", "insurance", "AK", set()),
    ("FOB", "insurance", "AR", set()),
    ("FOB", "freight", "AK", {"freight.twice"}),
    ("5", "freight", "AR", {"freight.twice"}),
    (None, "freight", "AR", {"freight.twice"}),
    ("CFR", "freight", "AK", set()),
    ("FOB", "freight", "AB", set()),
]


@pytest.mark.parametrize("place", ["/charges/0", "/goods/0/charges/0"])
@pytest.mark.parametrize(("term", "field", "code", "codes"), TWICE)
def test_carriage_stated_by_field_and_by_code_is_refused_naming_both(term, field, code, codes, place):
    stated = (charge(code, "50"),)
    where = {"charges": stated} if place == "/charges/0" else {"goods": (an_item(charges=stated),)}
    errors = check(a_declaration(incoterm=term, **{field: yuan("20")}, **where), NOW, LAW)
    assert {error.code for error in errors} == {f"declaration.{each}" for each in codes}
    for error in errors:
        assert (error.pointer, error.parameters) == (f"/{field}", {"kind": code, "charge": place})
    free = check(a_declaration(incoterm=term, **{field: yuan("0")}, **where), NOW, LAW)
    assert not [error for error in free if error.code.endswith(".twice")]


def test_a_charge_of_an_item_with_a_stated_value_is_not_counted():
    stated = an_item(valuation_method="6", customs_value=yuan("5"), charges=(charge("AK", "5"),))
    beside = unpriced(stated, an_item(number=2))
    assert found(replace(beside, incoterm="FOB", freight=yuan("5"), insurance=yuan("5"))) == set()


def test_a_value_that_rounds_to_zero_is_refused_with_amount_and_rate():
    (error,) = check(priced("0.01", "IRR"), NOW, LAW)
    rate = LAW.exchange.find_rate("IRR", LAW.calendar.day(NOW))
    assert (error.code, error.pointer, error.value) == (
        "declaration.value.rounds_to_nothing", "/goods/0/price/amount", "0.00",
    )  # fmt: skip
    assert error.parameters == {"item": "1", "amount": "0.01 IRR", "rate": f"{rate:f}"}
    stated = priced("5", "CNY", valuation_method="6", customs_value=Money(D("0.01"), "IRR"))
    assert found(stated) == {("value.rounds_to_nothing", "/goods/0/customs_value/amount")}


def test_an_invoice_total_that_gives_a_share_of_zero_is_refused():
    bare = replace(a_declaration(goods=(UNPRICED, replace(UNPRICED, number=2))), total_price=yuan("0.01"))
    spread = replace(bare, total_gross_mass_kg=None, total_packages=None)
    assert found(spread) == {("value.rounds_to_nothing", "/total_price/amount")}


def test_a_value_stated_with_a_price_and_no_method_gives_a_warning():
    both = {"customs_value": yuan("5"), "statistical_value": yuan("6")}

    def told(declaration):
        return [(each.code, each.pointer, each.value) for each in warn(declaration, LAW.codes)]

    code = "declaration.value.not_used"
    assert told(a_declaration(goods=(an_item(**both),))) == [
        (code, "/goods/0/customs_value", "5"), (code, "/goods/0/statistical_value", "6"),
    ]  # fmt: skip
    assert told(a_declaration(goods=(an_item(valuation_method="1", **both),))) == []
    assert told(unpriced(replace(UNPRICED, customs_value=yuan("5"), statistical_value=yuan("6")))) == []
    assert told(export(goods=(an_item(**both),))) == []


def test_a_stated_value_needs_neither_term_nor_freight():
    stated = an_item(valuation_method="6", customs_value=yuan("120"))
    assert found(a_declaration(goods=(stated,), incoterm=None)) == set()


def test_an_export_is_not_assessed_and_may_lack_values():
    assert found(export(goods=(UNPRICED,), incoterm="FOB")) == set()
    assert found(export(goods=(an_item(price=Money(D(0), "KWD")),), currency="KWD", total_price=None)) == set()


def test_deductions_that_leave_nothing_are_refused():
    eaten = a_declaration(goods=(an_item(charges=(charge("BC", "10000"),)),))
    assert found(eaten) == {("value.deducted_away", "/goods/0")}
    assert found(a_declaration(goods=(an_item(charges=(charge("BC", "9999.99"),)),))) == set()


@pytest.mark.parametrize("currency", ["XXX", "XTS", "XAU", "XAG", "XDR", "XUA", "BGN", "EURO", "usd"])
def test_a_code_without_a_minor_unit_in_iso_4217_is_not_a_currency(currency):
    assert found(priced("1", currency)) == {("currency.unknown", "/goods/0/price/currency")}


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("705.5", "JPY"), ("1.001", "CNY"), ("1.0001", "KWD"), ("0.00001", "CLF"), ("9E-30", "CNY")],
)
def test_an_amount_has_no_more_decimals_than_its_currency(amount, currency):
    assert ("currency.decimals", "/goods/0/price/amount") in found(priced(amount, currency))


@pytest.mark.parametrize(("amount", "currency"), [("705", "JPY"), ("705.00", "JPY"), ("1.10", "CNY"), ("7E+2", "JPY")])
def test_trailing_zeros_are_not_decimals(amount, currency):
    assert found(priced(amount, currency)) == set()


def test_a_currency_without_a_rate_is_refused_with_the_day_at_the_office():
    late = NOW.replace(hour=16)
    (error,) = check(priced("1000", "KWD"), late, LAW)
    assert (error.code, error.pointer) == ("declaration.currency.no_rate", "/goods/0/price/currency")
    assert error.parameters == {"currency": "KWD", "day": "2026-03-03"}


def test_every_amount_of_a_declaration_is_checked():
    odd = Money(D("-1.001"), "XXX")
    item = an_item(
        customs_value=odd, statistical_value=odd, price=odd, charges=(replace(charge("AB", "1"), amount=odd),)
    )
    strange = a_declaration(
        total_price=odd, freight=odd, insurance=odd, charges=(replace(charge("BA", "1"), amount=odd),), goods=(item,)
    )
    places = {"/total_price", "/freight", "/insurance", "/charges/0/amount", "/goods/0/price",
              "/goods/0/customs_value", "/goods/0/statistical_value", "/goods/0/charges/0/amount"}  # fmt: skip
    for code, field in (("value.negative", "amount"), ("currency.unknown", "currency")):
        assert {pointer for each, pointer in found(strange) if each == code} >= {f"{place}/{field}" for place in places}


def test_values_are_not_computed_from_amounts_that_break_a_rule():
    huge = Money(MAX_VALUE * 10**20, "CNY")
    wrong = an_item(price=huge, charges=(charge("BA", "-1"),), quantity=Quantity(D(-1), "KGM"))
    codes = {code for code, _ in found(a_declaration(goods=(wrong,), total_packages=-1, incoterm="ABC"))}
    assert {"value.too_large", "value.negative", "quantity.negative", "packages.negative"} <= codes


UNTIL_TODAY = replace(
    LAW,
    exchange=replace(LAW.exchange, tables=(RateTable(date(2026, 3, 1), {"GBP": D("9.40")}, date(2026, 3, 2)),)),
)
"""A law whose last exchange rate is for the day of lodging."""
POUNDS = a_declaration(
    goods=(an_item(price=Money(D("100"), "GBP")),), currency="GBP", total_price=None, dispatch_country="RU"
)
TOMORROW = NOW + timedelta(days=1)


def arrived(at):
    return replace(ARRIVED, claim=replace(ARRIVED.claim, kind=Kind.ARRIVED, occurred_at=at, received_at=at))


def test_goods_that_arrive_on_a_day_without_a_rate_are_rejected_naming_the_day():
    state, events = run([lodge(POUNDS), answer(), arrived(TOMORROW)], law=UNTIL_TODAY)
    assert names(events) == ["Submitted", "Prelodged", "PartnerEventNoted", "Rejected"]
    (error,) = state.errors
    assert (error.code, error.parameters["day"]) == ("declaration.currency.no_rate", "2026-03-03")
    assert state.number is None


def test_errors_of_values_at_acceptance_are_limited_as_at_lodging():
    goods = tuple(
        an_item(number=number, price=Money(D("100"), "GBP")) for number in range(1, size_limits.ERRORS_TOLD + 2)
    )
    state, events = run(
        [
            lodge(replace(POUNDS, goods=goods, total_gross_mass_kg=None, total_packages=None)),
            answer(),
            arrived(TOMORROW),
        ],
        law=UNTIL_TODAY,
    )
    assert names(events) == ["Submitted", "Prelodged", "PartnerEventNoted", "Rejected"]
    assert len(state.errors) == size_limits.ERRORS_TOLD
    assert state.errors[-1].code == "declaration.errors.more"


def test_a_corrected_version_after_that_is_accepted_without_a_second_arrival():
    yuan_instead = lodge(a_declaration(), "R-2", received_at=TOMORROW)
    state, _ = run([lodge(POUNDS), answer(), arrived(TOMORROW), yuan_instead, answer(version=2)], law=UNTIL_TODAY)
    assert (state.version, state.status, state.accepted_at) == (2, Status.ASSESSED, TOMORROW)


def test_an_accepted_declaration_that_cannot_be_assessed_opens_one_case_and_waits():
    """Accepted under a law that had the rate; the current law has none for that day."""
    routed, _ = run([lodge(POUNDS), answer(), ARRIVED], law=in_lane(Lane.YELLOW))
    assert routed.status is Status.UNDER_CONTROL
    without = replace(in_lane(Lane.YELLOW), exchange=replace(LAW.exchange, tables=()))
    state = routed
    for command in (DOCUMENTS_OK, GATE_IN):
        for event in decide(state, command, now=NOW, law=without):
            state = evolve(state, event)
    assert (state.status, state.cases) == (Status.UNDER_CONTROL, (CaseReason.VALUE_UNKNOWN,))
    for event in decide(state, note(Kind.DEPARTED), now=NOW, law=in_lane(Lane.YELLOW)):
        state = evolve(state, event)
    assert state.status is Status.ASSESSED


def test_the_rate_of_the_day_of_acceptance_is_used():
    two = (
        RateTable(date(2026, 3, 2), {"GBP": D("9")}, date(2026, 3, 2)),
        RateTable(date(2026, 3, 3), {"GBP": D("10")}),
    )
    law = replace(LAW, exchange=replace(LAW.exchange, tables=two))
    state, _ = run([lodge(POUNDS), answer(), arrived(TOMORROW)], law=law)
    assert state.assessment is not None
    assert state.assessment.lines[0].base == D("1000.00")
    assert "100 GBP × 10 on 2026-03-03" in state.assessment.lines[0].formula
