"""A payment reference is recognised in any spelling, and a mistyped one is never taken for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from values.faults import TextFault
from values.payments import CHECK_DIGITS, FORM, BankReference, PaymentReference, payment_reference
from values.references import EMPTY

DECLARATIONS = st.builds(payment_reference, st.from_regex(r"D-[0-9a-f]{20}", fullmatch=True), st.integers(1, 99))


@pytest.mark.parametrize(
    "known", ["RF1800000000539007547034", "RF18 0000 0000 5390 0754 7034", "rf18-00000000-539007547034"]
)
def test_a_reference_of_the_standard_is_right_in_every_spelling(known: str) -> None:
    """RF18 5390 0754 7034 is the standard's own example; leading zeros change nothing."""
    assert PaymentReference(known).fault() is None


def test_one_declaration_has_one_reference_and_another_version_another() -> None:
    first = payment_reference("D-99749dca214c343ea0a5", 1)
    assert first == "RF1954419780426028240862"
    assert first != payment_reference("D-99749dca214c343ea0a5", 2)


@given(DECLARATIONS)
def test_every_reference_that_the_platform_gives_is_right(given_: PaymentReference) -> None:
    assert given_.fault() is None
    assert len(given_) == 24
    assert PaymentReference(" ".join([given_[:4], given_[4:12], given_[12:]]).lower()) == given_


@given(DECLARATIONS, st.integers(2, 23), st.sampled_from("0123456789OIlB"))
def test_one_wrong_sign_is_seen(given_: PaymentReference, place: int, sign: str) -> None:
    wrong = PaymentReference(given_[:place] + sign + given_[place + 1 :])
    assert (wrong.fault() is None) == (wrong == given_)


@given(DECLARATIONS, st.integers(4, 22))
def test_two_swapped_signs_are_seen(given_: PaymentReference, place: int) -> None:
    swapped = PaymentReference(given_[:place] + given_[place + 1] + given_[place] + given_[place + 2 :])
    assert (swapped.fault() is None) == (swapped == given_)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("", TextFault(EMPTY)),
        ("PAY-1", TextFault(FORM)),
        ("RF1٨00000000539007547034", TextFault(FORM)),
        ("RF18539007547034", TextFault(FORM)),
        ("RF1900000000539007547034", TextFault(CHECK_DIGITS, "19")),
    ],
)
def test_what_is_no_reference_is_refused_by_reason(written: str, fault: TextFault) -> None:
    assert PaymentReference(written).fault() == fault


WRITTEN = st.text("abcxyzABCXYZ0123456789-/._", min_size=1, max_size=30)


@given(WRITTEN, st.data())
def test_every_spelling_of_a_bank_s_reference_is_one(written: str, data: st.DataObject) -> None:
    spelt = "".join(
        data.draw(st.sampled_from(["", " ", "  ", "\t", "\u00a0"]))
        + data.draw(st.sampled_from([sign.lower(), sign.upper()]))
        for sign in written
    )
    assert BankReference(spelt) == BankReference(written)
    assert BankReference(BankReference(written)) == BankReference(written)


@given(WRITTEN, WRITTEN)
def test_what_differs_in_more_than_case_is_another_reference_of_a_bank(one: str, other: str) -> None:
    assert (BankReference(one) == BankReference(other)) == (one.upper() == other.upper())


def test_dashes_of_a_bank_s_reference_count_and_an_empty_one_is_refused() -> None:
    assert BankReference("2026-1") != BankReference("20261")
    assert BankReference(" ").fault() == TextFault(EMPTY)
