"""Every spelling of a declarant, a reference or a container leads to the same declaration."""

import json
from typing import Any

import pytest

from gateway.domain.access import Owner, OwnerKind

USCC = "91370200MB2F00QD1X"


def by(scheme: str, value: str) -> list[dict[str, Any]]:
    return [{"role": "declarant", "identifier": {"scheme": scheme, "value": value}}]


@pytest.mark.parametrize(
    ("scheme", "value"),
    [
        ("CN-USCC", USCC.lower()),
        ("cn-uscc", USCC),
        ("CN-USCC", f" {USCC[:4]} {USCC[4:]} "),
        (" Cn-Uscc", USCC.title()),
        ("CN-USCC", f"{USCC[:8]}-{USCC[8:]}"),
    ],
)
async def test_spellings_of_one_declarant_give_one_declaration_and_one_receipt(
    gateway: Any, scheme: str, value: str
) -> None:
    first, second = [
        (
            await gateway.http.post(
                "/v1/declarations", json=gateway.a_declaration(parties=by(*declarant)), headers=gateway.firm()
            )
        ).json()
        for declarant in (("CN-USCC", USCC), (scheme, value))
    ]
    assert second["declaration_id"] == first["declaration_id"]
    assert (second["id"], second["duplicate"]) == (first["id"], True)


def test_a_firm_is_identified_by_its_number_in_any_spelling_of_its_key() -> None:
    owner = Owner(OwnerKind.FIRM, f"cn-uscc: {USCC.lower()} ")
    assert owner == Owner(OwnerKind.FIRM, f"CN-USCC:{USCC}")
    assert owner.actor == f"firm:CN-USCC:{USCC}"


async def test_a_trailing_blank_in_a_reference_makes_no_other_declaration(gateway: Any) -> None:
    sent = [gateway.a_declaration(lrn=lrn, ucr="6CN-1") for lrn in ("L-0009", "L-0009 ", " L-0009")]
    answers = [await gateway.http.post("/v1/declarations", json=each, headers=gateway.firm()) for each in sent]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize("written", ["CNTAO", "cn tao", " CnTao "])
async def test_every_spelling_of_a_place_is_normalised(gateway: Any, written: str) -> None:
    declaration = gateway.a_declaration(transport={"location": {"unlocode": written}})
    answer = await gateway.http.post("/v1/declarations", json=declaration, headers=gateway.firm())
    assert answer.status_code == 202
    (published,) = gateway.outbox.published
    assert json.loads(published["data"])["declaration"]["transport"]["location"]["unlocode"] == "CNTAO"


async def test_an_impossible_place_is_refused(gateway: Any) -> None:
    declaration = gateway.a_declaration(transport={"location": {"unlocode": "Qingdao"}})
    answer = await gateway.http.post("/v1/declarations", json=declaration, headers=gateway.firm())
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    found = (error["pointer"], error["code"], error["value"])
    assert found == ("/transport/location/unlocode", "field.locode.form", "QINGDAO")


async def test_a_container_number_with_a_wrong_check_digit_is_accepted_with_a_warning(gateway: Any) -> None:
    declaration = gateway.a_declaration(transport={"containers": ["csqu 305438 3", "CSQU3054384", "WAGON-12"]})
    headers = gateway.firm() | {"Accept-Language": "ru"}
    answer = await gateway.http.post("/v1/declarations", json=declaration, headers=headers)
    assert answer.status_code == 202
    warnings = answer.json()["warnings"]
    assert [(each["pointer"], each["code"]) for each in warnings] == [
        ("/transport/containers/1", "field.container.check_digit"),
        ("/transport/containers/2", "field.container.form"),
    ]
    assert "CSQU3054384" in warnings[0]["text"]
    assert "Контрольная цифра" in warnings[0]["text"]
    receipt = (await gateway.http.get(answer.headers["location"], headers=headers)).json()
    assert receipt["warnings"] == warnings
