"""Splitting an amount by weight: the parts add up and are never negative."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from declarations.domain.assessment.apportion import apportion

D = Decimal
amounts = st.decimals("0", "1000000", places=2)
weights = st.lists(st.decimals("0", "1000000", places=4), min_size=1, max_size=20).filter(any)


def test_the_remaining_units_go_to_the_largest_remainders():
    assert apportion(D("1.00"), [D(1), D(1), D(1)], minor_units=2) == [D("0.34"), D("0.33"), D("0.33")]
    assert apportion(D("100"), [D(1), D(2), D(4)], minor_units=0) == [14, 29, 57]
    assert apportion(D("0.02"), [D(1), D(1), D(1)], minor_units=2) == [D("0.01"), D("0.01"), 0]


@settings(deadline=None)
@given(total=amounts, weights=weights)
def test_the_parts_add_up_to_the_amount_and_are_never_negative(total, weights):
    parts = apportion(total, weights, minor_units=2)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert part >= 0
        assert abs(part - total * weight / sum(weights)) < D("0.01")


@settings(deadline=None)
@given(total=amounts, count=st.integers(1, 50))
def test_equal_weights_get_parts_that_differ_by_one_unit_at_most(total, count):
    parts = apportion(total, [D(7)] * count, minor_units=2)
    assert max(parts) - min(parts) <= D("0.01")


@pytest.mark.parametrize(("total", "weights"), [("1", ["0", "0"]), ("-1", ["1"]), ("1", ["2", "-1"]), ("0.001", ["1"])])
def test_an_amount_that_cannot_be_apportioned_is_an_error(total, weights):
    with pytest.raises(ValueError, match="cannot be split"):
        apportion(D(total), [D(weight) for weight in weights], minor_units=2)
