"""Duties and taxes against vectors calculated by hand, and the limits of rounding."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.declarations.tests.declaration_builders import LAW, NOW, a_declaration, an_item, export

from declarations.domain.assessment.duty import (
    Tariff,
    TariffRate,
    assess,
    daily_late_fee,
    late_lodging_fee,
    late_payment_fee,
)
from declarations.domain.declaration import Document, Money, Preference

D = Decimal
CNY = LAW.exchange
FLAT = Tariff("flat", (TariffRate("", D("0.10"), D("0.13"), date(2000, 1, 1)),), LAW.calendar)


def yuan(amount: str) -> Money:
    return Money(D(amount), "CNY")


def assessed(tariff: Tariff = FLAT, **changes):
    lines, total = assess(a_declaration(**changes), NOW, tariff, CNY)
    return {(line.item, line.tax): line for line in lines}, total


def test_ten_percent_of_the_reference_value():
    lines, total = assessed(goods=(an_item(price=yuan("6550000")),))
    assert lines[1, "duty"].amount == D("655000.00")
    assert lines[1, "vat"].amount == D("936650.00")
    assert total == yuan("1591650.00")


def test_one_day_late_with_payment_and_with_lodging():
    assert late_payment_fee(D("655000"), days=1) == D("327.50")
    assert late_lodging_fee(D("6550000"), days=1) == D("3275")


def test_fees_under_fifty_are_waived_and_fractions_of_a_lodging_fee_dropped():
    assert late_payment_fee(D("99999"), days=1) == D("50.00")
    assert late_payment_fee(D("99900"), days=1) == 0
    assert late_lodging_fee(D("123456"), days=1) == D("61")
    assert late_lodging_fee(D("99998"), days=1) == 0
    assert daily_late_fee(D("1300")) == D("0.65")


def test_the_formula_shows_the_numbers():
    lines, _ = assessed()
    assert lines[1, "duty"].formula == "customs value 10000.00 (price 10000.00) × 10 % = 1000.00"
    assert lines[1, "vat"].formula == "(customs value 10000.00 + duty 1000.00) × 13 % = 1430.00"


@pytest.mark.parametrize(
    ("accepted", "rate"),
    [
        ("2018-06-30T15:59:59+00:00", "0.25"),
        ("2018-06-30T16:00:00+00:00", "0.15"),
        ("2018-07-01T01:00:00+08:00", "0.15"),
        ("2018-07-01T00:30:00+09:00", "0.25"),
    ],
)
def test_the_rate_is_that_of_the_day_at_the_office_in_any_time_zone(accepted, rate):
    car = a_declaration(goods=(an_item(commodity_code="8703231010"),))
    assert assess(car, datetime.fromisoformat(accepted), LAW.tariff, CNY)[0][0].rate == D(rate)


def test_a_preference_applies_only_with_a_certificate():
    cotton = an_item(commodity_code="520100", preference=Preference("CN-PK", "C-1"))
    bare = replace(cotton, preference=Preference("CN-PK"))
    rates = [cotton_rate(item, Document("861", "C-1")) for item in (cotton, bare)]
    assert rates == [0, D("0.08")]


def cotton_rate(item, *documents):
    declaration = a_declaration(goods=(item,), documents=documents)
    return assess(declaration, NOW, LAW.tariff, CNY)[0][0].rate


def test_a_certificate_that_expired_before_acceptance_gives_no_preference():
    cotton = an_item(commodity_code="520100", preference=Preference("CN-PK", "C-1"))
    days = {NOW: 0, NOW - timedelta(hours=16): 0, NOW - timedelta(hours=17): D("0.08")}
    assert {until: cotton_rate(cotton, Document("861", "C-1", valid_until=until)) for until in days} == days


def test_an_unknown_code_pays_the_default_rate():
    assert LAW.tariff.rate("", LAW.calendar.day(NOW)).duty == D("0.06")


def test_an_export_pays_nothing():
    assert assess(export(), NOW, FLAT, CNY) == ((), yuan("0"))


def test_rounding_differences_are_not_carried_between_lines():
    goods = tuple(an_item(number=number, commodity_code="721012", price=yuan("1.25")) for number in range(1, 19))
    lines, total = assess(a_declaration(goods=goods), NOW, LAW.tariff, CNY)
    assert {line.amount for line in lines if line.tax == "duty"} == {D("0.08")}
    assert {line.amount for line in lines if line.tax == "vat"} == {D("0.17")}
    assert total == yuan("4.50")


@pytest.mark.parametrize(
    ("price", "duty"), [("12.50", "0.13"), ("4.50", "0.05"), ("4.49", "0.04"), ("0.49", "0.00"), ("0.50", "0.01")]
)
def test_a_tax_is_rounded_half_up(price, duty):
    one_percent = Tariff("1 %", (TariffRate("", D("0.01"), D(0), date(2000, 1, 1)),), LAW.calendar)
    lines, _ = assess(a_declaration(goods=(an_item(price=yuan(price)),)), NOW, one_percent, CNY)
    assert lines[0].amount == D(duty)


amounts = st.decimals("0.01", "1000000", places=2)
rates = st.decimals("0", "1", places=4)


@settings(deadline=None)
@given(prices=st.lists(amounts, min_size=1, max_size=20), duty=rates, vat=rates)
def test_every_line_is_base_times_rate_and_the_total_is_their_sum(prices, duty, vat):
    goods = tuple(an_item(number=number, price=Money(price, "CNY")) for number, price in enumerate(prices, 1))
    tariff = Tariff("any", (TariffRate("", duty, vat, date(2000, 1, 1)),), LAW.calendar)
    lines, total = assess(a_declaration(goods=goods), NOW, tariff, CNY)
    assert [line.amount for line in lines] == [
        (line.base * line.rate).quantize(D("0.01"), ROUND_HALF_UP) for line in lines
    ]
    assert all(line.amount >= 0 for line in lines)
    assert total.amount == sum(line.amount for line in lines)


def test_fifteen_days_end_with_the_office_s_day_and_are_extended_over_holidays():
    shanghai = timedelta(hours=8)
    ends = LAW.payment.ends(datetime(2026, 3, 2, 8, tzinfo=UTC))
    assert (ends + shanghai).isoformat()[:19] == "2026-03-17T23:59:59"
    saturday = LAW.payment.ends(datetime(2026, 3, 6, 8, tzinfo=UTC))
    assert (saturday + shanghai).date() == date(2026, 3, 23)
    new_year = LAW.payment.ends(datetime(2026, 2, 2, 8, tzinfo=UTC))
    assert (new_year + shanghai).date() == date(2026, 2, 24)
