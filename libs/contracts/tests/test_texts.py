"""Texts for people: complete in three languages, with the same placeholders in each."""

import string
import tomllib
from importlib.resources import files

import pytest

from contracts import texts
from contracts.texts import LANGUAGES, UnknownText, catalogue, text

CODES = sorted(catalogue())


def _placeholders(template: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_text_in_each_language_with_the_same_placeholders(code):
    by_language = catalogue()[code]
    assert set(by_language) == set(LANGUAGES)
    assert all(template.strip() for template in by_language.values())
    asked = {language: _placeholders(template) for language, template in by_language.items()}
    assert asked["zh"] == asked["ru"] == asked["en"]


@pytest.mark.parametrize("code", CODES)
def test_placeholders_are_plain_names(code):
    for template in catalogue()[code].values():
        assert all(name.isidentifier() for name in _placeholders(template)), template


def test_a_different_placeholder_would_be_seen():
    assert _placeholders("{value} of {field}") != _placeholders("{value}")
    assert _placeholders("{}") == {""}


def test_codes_stand_in_the_file_of_one_owner_each():
    seen = [
        code
        for file in files(texts).iterdir()
        if file.name.endswith(".toml")
        for code in tomllib.loads(file.read_text(encoding="utf-8"))
    ]
    assert sorted(seen) == CODES


def test_another_language_reads_english_and_an_unknown_code_is_an_error():
    code = CODES[0]
    parameters = dict.fromkeys(_placeholders(catalogue()[code]["en"]), "x")
    assert text(code, "tg", **parameters) == text(code, "en", **parameters)
    with pytest.raises(UnknownText):
        text("no.such.code", "en")
