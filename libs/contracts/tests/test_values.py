"""Numbers on the wire: exact, and of limited length when written out."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.grants import GrantedPlace
from contracts.values import MAX_DIGITS, Identifier, Location, Money, Quantity, Timestamp, WholeNumber


@pytest.mark.parametrize(
    "number", ["1E+999999999", "1E-999999999", "-1E+38", "0E+99", "0E-39", "9" * 39, "0." + "0" * 38 + "1"]
)
def test_a_number_that_is_long_when_written_out_is_refused_with_its_limit(number: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Money.model_validate({"amount": Decimal(number), "currency": "CNY"})
    (error,) = refused.value.errors()
    assert (error["type"], error["loc"]) == ("number_too_long", ("amount",))
    assert error["msg"] == f"At most {MAX_DIGITS} digits, written out"


@pytest.mark.parametrize("number", ["9" * 38, "-" + "9" * 36 + ".99", "0." + "0" * 37 + "1", "1E+37", "0", "-0.00"])
def test_what_has_as_many_digits_as_a_database_holds_passes(number: str) -> None:
    assert Quantity.model_validate({"value": Decimal(number), "unit": "KGM"}).value == Decimal(number)


@given(st.integers(-(10**40), 10**40), st.integers(-60, 60))
def test_what_one_service_writes_another_one_reads(digits: int, exponent: int) -> None:
    number = Decimal(f"{digits}E{exponent}")
    try:
        sent = Quantity(value=number, unit="KGM").model_dump_json()
    except ValidationError:
        return
    assert Quantity.model_validate_json(sent).value == number
    assert len(sent) <= len('{"value":"-0.","unit":"KGM"}') + MAX_DIGITS


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "ten", "", "1_000", "٥", "１０００", "1E3", True, 1.5, None]
)
def test_only_numbers_in_ascii_digits_pass(number: object) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": number, "currency": "CNY"})


@pytest.mark.parametrize("given", [True, "５", "1_0", 1.0, "x", "", None, "1.0"])
def test_only_whole_numbers_count(given: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(WholeNumber).validate_python(given)
    assert TypeAdapter(WholeNumber).validate_python("12") == 12


@pytest.mark.parametrize(
    "given", [0, 1, "2026", "20261124", "2611241600", "2026-W48-2T16:00:00Z", True, "2026-11-24", 1.5]
)
def test_a_number_or_a_bare_day_is_no_moment(given: object) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Timestamp).validate_python(given)
    assert refused.value.errors()[0]["type"] == "datetime_form"


def test_a_moment_without_an_offset_is_told_apart() -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Timestamp).validate_python("2026-11-24T16:00:00")
    assert refused.value.errors()[0]["type"] == "timezone_aware"


@pytest.mark.parametrize("scheme", ["cn-uscc", " CN-USCC "])
def test_a_number_of_an_enterprise_has_one_form_on_the_wire(scheme: str) -> None:
    assert str(Identifier(scheme=scheme, value="91370200 ma3demx012")) == "CN-USCC:91370200MA3DEMX012"


@pytest.mark.parametrize("written", ["cn tao", "CNTAO", " Cn\u00a0TAO "])
def test_a_place_of_a_past_event_is_read_in_normal_form(written: str) -> None:
    assert Location.model_validate({"unlocode": written}).unlocode == "CNTAO"
    assert GrantedPlace.model_validate({"unlocode": written}).unlocode == "CNTAO"


def test_a_place_of_a_past_event_that_is_none_is_read_as_it_stands() -> None:
    assert Location.model_validate({"unlocode": "zz-nonsense"}).unlocode == "ZZ-NONSENSE"
    assert Location.model_validate({"facility": "gate 7"}).unlocode is None
