"""Numbers on the wire: exact, and short when written out."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.values import MAX_DIGITS, Money, Quantity


@pytest.mark.parametrize(
    "number", ["1E+999999999", "1E-999999999", "-1E+38", "0E+99", "0E-39", "9" * 39, "0." + "0" * 38 + "1"]
)
def test_a_number_that_is_long_when_written_out_is_refused_with_its_limit(number: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Money.model_validate({"amount": number, "currency": "CNY"})
    (error,) = refused.value.errors()
    assert (error["type"], error["loc"]) == ("number_too_long", ("amount",))
    assert error["msg"] == f"At most {MAX_DIGITS} digits, written out"


@pytest.mark.parametrize("number", ["9" * 38, "-" + "9" * 36 + ".99", "0." + "0" * 37 + "1", "1E+37", "0", "-0.00"])
def test_what_has_as_many_digits_as_a_database_holds_passes(number: str) -> None:
    assert Quantity.model_validate({"value": number, "unit": "KGM"}).value == Decimal(number)


@given(st.integers(-(10**40), 10**40), st.integers(-60, 60))
def test_what_one_service_writes_another_one_reads(digits: int, exponent: int) -> None:
    number = Decimal(f"{digits}E{exponent}")
    try:
        sent = Quantity(value=number, unit="KGM").model_dump_json()
    except ValidationError:
        return
    assert Quantity.model_validate_json(sent).value == number
    assert len(sent) <= len('{"value":"-0.","unit":"KGM"}') + MAX_DIGITS


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "ten", ""])
def test_only_finite_numbers_pass(number: str) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": number, "currency": "CNY"})
