"""Edge cases of HTTP: slow senders, disconnects, wrong methods, forged Host headers, invalid parameters."""

import asyncio
import time
from typing import Any

import pytest
from fastapi import Request

from gateway.domain.faults import Refused
from gateway.http.requests import body
from gateway.receipts.keeping import Original

SCOPE = {"type": "http", "method": "POST", "path": "/", "headers": []}


async def test_a_slow_sender_is_timed_out() -> None:
    async def one_byte_and_no_more() -> dict[str, Any]:
        if not begun:
            begun.append(True)
            return {"type": "http.request", "body": b"{", "more_body": True}
        return await asyncio.Future()

    begun: list[bool] = []
    with pytest.raises(Refused) as refused:
        await body(Request(SCOPE, one_byte_and_no_more), 100, seconds=0.05)
    assert refused.value.problem == "body-incomplete"


async def test_a_disconnect_is_not_an_internal_error() -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(Refused) as refused:
        await body(Request(SCOPE, gone), 100)
    assert refused.value.problem == "body-incomplete"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
async def test_a_wrong_method_is_answered_with_the_allowed_ones(gateway: Any, method: str) -> None:
    answer = await gateway.http.request(method, "/v1/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_no_redirect_uses_the_callers_host_header(gateway: Any) -> None:
    answer = await gateway.http.post("/v1/events/", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize("query", ["before=2026-01-05T08:00:00Z", "page_size=-1", "limit=5&limit=6"])
@pytest.mark.parametrize("list_", ["quarantine", "notices"])
async def test_a_list_refuses_an_unknown_parameter(gateway: Any, list_: str, query: str) -> None:
    headers = gateway.partner() if list_ == "quarantine" else gateway.firm()
    answer = await gateway.http.get(f"/v1/{list_}?{query}", headers=headers)
    assert answer.status_code == 400
    assert [each["code"] for each in answer.json()["errors"]] == ["parameter.unknown"]


@pytest.mark.parametrize("limit", ["-1", "0", "201", "1_0", "٥", "５", "", "9" * 30])
async def test_the_size_of_a_page_is_a_whole_number_within_bounds(gateway: Any, limit: str) -> None:
    answer = await gateway.http.get("/v1/quarantine", params={"limit": limit}, headers=gateway.partner())
    assert [each["code"] for each in answer.json()["errors"]] == ["field.out_of_range"]


def test_the_bytes_of_a_batch_are_hashed_once() -> None:
    sent = bytes(8 * 1024 * 1024)
    started = time.process_time()
    assert len({Original(sent, "application/json").id for _ in range(500)}) == 1
    assert time.process_time() - started < 1.0
