"""A place has one code, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from values.places import FORM, GrantedPlace, Locode
from values.references import EMPTY


@pytest.mark.parametrize("written", ["CNTAO", "cntao", " cn tao", "Cn\u00a0Tao", "C N T A O\n"])
def test_every_spelling_of_a_place_is_normalised(written):
    assert Locode(written) == "CNTAO"
    assert Locode(written).fault() is None
    assert Locode(written).country == "CN"
    assert GrantedPlace(Locode(written), " Qianwan  terminal ") == GrantedPlace(Locode("CNTAO"), "Qianwan terminal")


@pytest.mark.parametrize("written", ["CNTAO1", "CNT0O", "CNT1O", "C2TAO", "CN-TAO", "CN", "СNTAO", "CNTA٥", "cntaſ"])
def test_what_is_no_place_has_a_fault(written):
    fault = Locode(written).fault()
    assert fault is not None and fault.code == FORM


def test_nothing_is_no_place():
    fault = Locode(" ").fault()
    assert fault is not None and fault.code == EMPTY


@given(st.text(max_size=12))
def test_a_normal_form_is_its_own_normal_form(written):
    assert Locode(Locode(written)) == Locode(written)
