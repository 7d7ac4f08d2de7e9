"""Submissions too large for a later step are refused on receipt, by name, in the reader's language."""

from typing import Any

import pytest

from contracts.limits import MAX_ITEMS


def _item(number: int, description: str) -> dict[str, Any]:
    price = {"amount": "2", "currency": "CNY"}
    return {"number": number, "commodity_code": "260300", "description": description, "price": price}


async def _posted(gateway: Any, path: str, body: Any, **headers: str) -> Any:
    return await gateway.http.post(path, json=body, headers=gateway.firm() | headers)


async def test_the_maximum_number_of_goods_items_is_accepted_and_one_more_is_refused(gateway: Any) -> None:
    goods = [_item(number, "ore") for number in range(1, MAX_ITEMS + 2)]
    answer = await _posted(gateway, "/v1/declarations", gateway.a_declaration(goods=goods[:-1]))
    assert answer.status_code == 202
    answer = await _posted(gateway, "/v1/declarations", gateway.a_declaration(lrn="L-2", goods=goods))
    assert answer.status_code == 413
    (error,) = answer.json()["errors"]
    assert (error["code"], error["pointer"]) == ("limit.items", "/goods")
    assert error["text"] == "At most 999 goods items are allowed; there are 1000."


@pytest.mark.parametrize(("items", "length"), [(999, 1_000), (900, 600), (5_000, 1)])
async def test_a_declaration_whose_event_would_be_too_large_gets_413(gateway: Any, items: int, length: int) -> None:
    goods = [_item(number, "x" * length) for number in range(1, items + 1)]
    answer = await _posted(gateway, "/v1/declarations", gateway.a_declaration(goods=goods), **{"Accept-Language": "ru"})
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:trade:problem:too-large"
    assert gateway.outbox.published == []
    assert str(items if items > MAX_ITEMS else "") in answer.json()["errors"][0]["text"]


async def test_more_parties_than_every_event_of_a_declaration_can_repeat_get_413(gateway: Any) -> None:
    declaration = gateway.a_declaration()
    declaration["parties"] += declaration["parties"][-1:] * 400
    answer = await _posted(gateway, "/v1/declarations", declaration)
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["pointer"] == "/parties"


async def test_a_mandate_that_lists_too_much_gets_413(gateway: Any) -> None:
    mandate = {
        "reference": "M1",
        "title": "Fund",
        "ticket_min": {"amount": "1", "currency": "USD"},
        "ticket_max": {"amount": "2", "currency": "USD"},
        "sectors": ["C"] * 20_000,
        "countries": ["KZ"],
        "instruments": ["equity"],
    }
    assert (await _posted(gateway, "/v1/mandates", mandate)).status_code == 413
    assert (await _posted(gateway, "/v1/mandates", mandate | {"sectors": ["C"]})).status_code == 202


async def test_a_partner_event_that_no_declaration_could_note_gets_413(gateway: Any) -> None:
    event = gateway.an_event()
    event["data"]["location"] = {"facility": "x" * 2_000}
    headers = gateway.partner() | {"Content-Type": "application/cloudevents+json"}
    assert (await gateway.http.post("/v1/events", json=event, headers=headers)).status_code == 202
    event = gateway.an_event(id="long")
    event["data"] |= {f"{'余' * 150}{number}": number for number in range(300)}  # listed as not read
    answer = await gateway.http.post("/v1/events", json=event, headers=headers)
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["code"] == "limit.bytes"
