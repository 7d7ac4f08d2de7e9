"""A bank's event, and its retraction, must name an assessment, a declaration or a UCR."""

from typing import Any

import pytest

CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
MONEY = {"amount": {"amount": "100.00", "currency": "CNY"}, "payment_reference": "B-1"}
KINDS = ("confirmed", "reversed")
GOODS_ONLY: tuple[dict[str, str], ...] = (
    {"transport_document": "COSU6311"},
    {"container": "CSQU3054383"},
    {"transport_document": "COSU6311", "container": "CSQU3054383"},
    {},
)


async def tell(gateway: Any, kind: str, references: dict[str, str], **data: Any) -> Any:
    event = gateway.an_event(type=f"trade.partners.payment.{kind}.v1")
    event["data"] |= MONEY | {"references": references} | data
    headers = gateway.partner("bank-x", "bank") | CLOUDEVENT
    return await gateway.http.post("/v1/events", json=event, headers=headers)


@pytest.mark.parametrize("references", GOODS_ONLY, ids=",".join)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_payment_that_names_only_goods_is_refused(gateway: Any, kind: str, references: dict[str, str]) -> None:
    answer = await tell(gateway, kind, references)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/data/references", "event.payment_for_nothing")


async def test_a_retraction_of_a_payment_that_names_only_goods_is_refused(gateway: Any) -> None:
    answer = await tell(gateway, "confirmed", {"transport_document": "COSU6311"}, retracts="evt-0")
    assert [each["code"] for each in answer.json()["errors"]] == ["event.payment_for_nothing"]
    assert (await tell(gateway, "confirmed", {"ucr": "U-1"}, retracts="evt-0")).status_code == 202


@pytest.mark.parametrize(
    "references",
    [{"ucr": "U-1"}, {"declaration_number": "515320261000000011"}, {"payment_reference": "RF1800000000539007547034"}],
    ids=",".join,
)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_payment_that_names_what_it_pays_is_accepted(
    gateway: Any, kind: str, references: dict[str, str]
) -> None:
    answer = await tell(gateway, kind, references | {"transport_document": "COSU6311"})
    assert answer.status_code == 202, answer.text
