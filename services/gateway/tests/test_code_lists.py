"""Codes of projects and mandates: an unknown code is refused by field and value."""

from typing import Any

import pytest

from contracts.texts import LANGUAGES, text
from gateway.firms.code_lists import JUDGED

MONEY = {"amount": "1000000", "currency": "USD"}
PROJECT: dict[str, Any] = {
    "reference": "P1",
    "title": "Cold store",
    "country": "KZ",
    "sector": "5210",
    "stage": "feasibility",
    "sought": MONEY,
    "instruments": ["equity"],
    "languages": ["ru", "kk"],
}
MANDATE: dict[str, Any] = {
    "reference": "M1",
    "title": "Logistics",
    "ticket_min": MONEY,
    "ticket_max": MONEY,
    "sectors": ["H", "52"],
    "countries": ["KZ", "XK"],
    "excluded_sectors": ["12"],
    "excluded_countries": ["IR"],
    "stages": ["feasibility"],
    "instruments": ["equity"],
}
WRONG = [
    ("/v1/projects", PROJECT, {"country": "UK"}, "/country", "code.country"),
    ("/v1/projects", PROJECT, {"country": "kz"}, "/country", "code.country"),
    ("/v1/projects", PROJECT, {"sector": "0400"}, "/sector", "code.activity"),
    ("/v1/projects", PROJECT, {"sector": "steel"}, "/sector", "code.activity"),
    ("/v1/projects", PROJECT, {"stage": "soon"}, "/stage", "code.stage"),
    ("/v1/projects", PROJECT, {"languages": ["ru", "rus"]}, "/languages/1", "code.language"),
    ("/v1/mandates", MANDATE, {"countries": ["KZ", "ZN"]}, "/countries/1", "code.country"),
    ("/v1/mandates", MANDATE, {"excluded_countries": ["Iran"]}, "/excluded_countries/0", "code.country"),
    ("/v1/mandates", MANDATE, {"sectors": ["Z"]}, "/sectors/0", "code.activity"),
    ("/v1/mandates", MANDATE, {"excluded_sectors": ["5"]}, "/excluded_sectors/0", "code.activity"),
    ("/v1/mandates", MANDATE, {"stages": ["late"]}, "/stages/0", "code.stage"),
]


@pytest.mark.parametrize(("path", "plain", "change", "pointer", "code"), WRONG, ids=[f"{w[3]}={w[2]}" for w in WRONG])
async def test_an_unknown_code_is_refused_by_field_value_and_rule(
    gateway: Any, path: str, plain: Any, change: Any, pointer: str, code: str
) -> None:
    answer = await gateway.http.post(path, json={**plain, **change}, headers=gateway.firm())
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert error["value"] in str(change)
    assert error["text"] != code
    assert gateway.documents.stored == {}


@pytest.mark.parametrize(("path", "plain"), [("/v1/projects", PROJECT), ("/v1/mandates", MANDATE)])
async def test_known_codes_are_accepted(gateway: Any, path: str, plain: Any) -> None:
    assert (await gateway.http.post(path, json=plain, headers=gateway.firm())).status_code == 202


def test_every_code_has_its_text_in_three_languages() -> None:
    for code in {code for code, _ in JUDGED.values()}:
        assert len({text(f"gateway.{code}", language) for language in LANGUAGES}) == 3
