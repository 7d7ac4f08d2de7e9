"""Customs offices: the listed ones, and the code forms of all others."""

import pytest

from contracts import codes
from contracts.texts import LANGUAGES
from declarations.reference_data import load_offices

OFFICES = load_offices()
COUNTRIES = codes.countries()


@pytest.mark.parametrize("code", sorted(OFFICES.listed))
def test_a_listed_office_has_a_form_a_name_in_each_language_and_an_existing_place(code):
    office = OFFICES.listed[code]
    assert OFFICES.form_of(code, COUNTRIES) is not None
    assert set(office.names) == set(LANGUAGES)
    assert office.place is not None
    assert codes.is_place(office.place)
    assert office.place in codes.places()[office.place.country]


@pytest.mark.parametrize(
    "code", ["4218", "2225", "0101", "GB000040", "GBBEL004", "DE004600", "10702070", "INNSA1", "KAPW"]
)
def test_an_office_of_any_administration_has_a_form(code):
    assert OFFICES.form_of(code, COUNTRIES) is not None


@pytest.mark.parametrize("code", ["9999", "4 218", "４２１８", "ZN000040", "421", "port-qd", ""])
def test_an_impossible_office_code_matches_no_form(code):
    assert OFFICES.form_of(code, COUNTRIES) is None


def test_an_office_is_found_by_its_code():
    assert OFFICES.find("4218") is OFFICES.listed["4218"]
    assert OFFICES.find("4299") is None
    assert OFFICES.find(None) is None
