"""A partner's code: one normal form, without characters that could escape a folder or a topic name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from values.partners import BAD_FORM, FORM, PartnerCode


@pytest.mark.parametrize("written", ["port-qd", " Port-QD\n", "PORT-qd"])
def test_every_spelling_of_a_code_is_that_code(written):
    assert PartnerCode(written) == "port-qd"
    assert PartnerCode(written).fault() is None


@pytest.mark.parametrize("written", ["a/../b", "", "-a", ".a", "a b", "a" * 60, "pört", "a\\b", "port_qd", "a\x00"])
def test_what_is_no_code_is_refused(written):
    fault = PartnerCode(written).fault()
    assert fault is not None
    assert fault.code == BAD_FORM


@given(st.text(max_size=70))
def test_a_code_without_fault_has_the_form_and_is_its_own_normal_form(written):
    code = PartnerCode(written)
    assert PartnerCode(code) == code
    assert (code.fault() is None) == bool(re.fullmatch(FORM, code))
