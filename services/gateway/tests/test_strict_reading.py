"""Ambiguous values are refused with the field's name, in every format of submission."""

from pathlib import Path
from typing import Any

import pytest

JSON = {"Content-Type": "application/json"}
CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}


@pytest.mark.parametrize("amount", ["1_000", "٥", "１０００", "1e3", "", True, "1,5"])
async def test_an_amount_in_other_than_ascii_digits_is_refused(gateway: Any, amount: Any) -> None:
    goods = [gateway.a_declaration()["goods"][0] | {"price": {"amount": amount, "currency": "CNY"}}]
    answer = await gateway.http.post(
        "/v1/declarations", json=gateway.a_declaration(goods=goods), headers=gateway.firm()
    )
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/goods/0/price/amount", "field.not_a_number")


@pytest.mark.parametrize("packages", [True, "５", "1_0", 1.5])
async def test_a_boolean_is_not_a_number_of_packages(gateway: Any, packages: Any) -> None:
    goods = [gateway.a_declaration()["goods"][0] | {"packages": packages}]
    answer = await gateway.http.post(
        "/v1/declarations", json=gateway.a_declaration(goods=goods), headers=gateway.firm()
    )
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
        ("/goods/0/packages", "field.not_an_integer")
    ]


@pytest.mark.parametrize("said", ["2026", "20261124", "2611241600", 0, "2026-W48-2T16:00:00+08:00", "2026-11-24"])
async def test_a_time_that_is_a_number_is_refused(gateway: Any, said: Any) -> None:
    event = gateway.an_event()
    event["data"]["occurred_at"] = said
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
        ("/data/occurred_at", "field.not_a_time")
    ]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("2026-11-24t16:00:00z", 202),
        ("2026-11-24T16:00:00.123456789Z", 202),
        ("2016-12-31T23:59:60Z", 202),
        ("2026-W48-2T16:00:00Z", 422),
        ("2026-11-24 16:00:00Z", 422),
        (0, 422),
    ],
)
async def test_an_events_time_is_read_by_rfc_3339(gateway: Any, said: Any, status: int) -> None:
    event = gateway.an_event(time=said)
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert answer.status_code == status


async def test_a_document_with_a_digit_of_another_script_is_answered_and_names_the_field(gateway: Any) -> None:
    document = (Path(__file__).parent / "data" / "packages-fullwidth-digit.xml").read_bytes()
    headers = gateway.firm("GB-EORI:GB603202734852") | {"Content-Type": "application/xml"}
    answer = await gateway.http.post("/v1/declarations", content=document, headers=headers)
    assert answer.status_code == 422
    assert ("/goods/0/packages", "field.not_an_integer") in [
        (each["pointer"], each["code"]) for each in answer.json()["errors"]
    ]
