"""Numbers are parsed by one grammar only, whatever other parsers would accept."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from values.faults import NotOfItsForm
from values.numbers import is_digits, read_decimal, read_whole

NO_NUMBERS = [
    "",
    " ",
    "1_000",
    "٥",
    "１０００",
    "5²",
    "1e3",
    "1E3",
    "+1",
    ".5",
    "5.",
    "1,5",
    "1 000",
    " 1",
    "1\n",
    "NaN",
    "Infinity",
    "0x10",
    "--1",
    "-",
]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_a_text_that_a_person_would_not_read_as_this_number_is_none(text):
    with pytest.raises(NotOfItsForm):
        read_decimal(text)
    with pytest.raises(NotOfItsForm):
        read_whole(text)
    assert not is_digits(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_a_number_that_is_written_out_is_read_digit_by_digit(number):
    assert read_decimal(format(number, "f")).as_tuple() == number.as_tuple() or number == 0


@given(st.text(max_size=12))
def test_what_is_read_is_written_in_ascii_digits(text):
    try:
        number = read_decimal(text)
    except NotOfItsForm:
        return
    assert text.isascii()
    assert Decimal(text) == number


def test_a_text_that_is_too_long_is_not_read():
    with pytest.raises(NotOfItsForm):
        read_decimal("1" * 5000)
    with pytest.raises(NotOfItsForm):
        read_whole("1" * 20)
