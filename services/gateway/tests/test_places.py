"""Requests beyond the gateway's places are turned away with Retry-After before anything is looked up."""

import asyncio
from typing import Any

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from gateway.http.application import paths_of


async def test_a_request_without_a_place_is_turned_away_in_its_language_before_the_key_look_up(
    gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, looked_up, go = gateway.firm(), asyncio.Semaphore(0), asyncio.Event()

    async def slow(_: str) -> None:
        looked_up.release()
        await go.wait()

    monkeypatch.setattr(gateway.keys, "get", slow)
    transport = httpx2.ASGITransport(gateway.served(places=1, waiting=0))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as http:
        in_hand = asyncio.create_task(http.post("/v1/declarations", json={}, headers=headers))
        await looked_up.acquire()
        answer = await http.post("/v1/declarations", json={}, headers=headers | {"Accept-Language": "zh"})
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:trade:problem:overloaded")
        assert answer.json()["detail"] == "平台繁忙，请稍后重试。"
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        assert looked_up.locked()
        go.set()
        assert (await in_hand).status_code == 401


def test_every_route_is_counted_under_its_own_name(gateway: Any) -> None:
    app = gateway.app()
    paths = paths_of(app)
    assert {"/v1/events", "/v1/declarations", "/v1/receipts/{id_}", "/v1/openapi.json"} <= set(paths)
    assert len(paths) == len(list(iter_route_contexts(app.routes)))
