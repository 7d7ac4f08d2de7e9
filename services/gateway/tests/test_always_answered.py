"""On a real socket: every request gets an answer in time, as a problem with its trace id."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from opentelemetry.sdk.resources import Resource

from chassis.doors.http_server import HttpServer
from chassis.settings import HttpSettings
from chassis.telemetry import span_provider
from gateway.formats import wco
from gateway.http.problems import unanswered

XML = {"Content-Type": "application/xml"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
SECONDS = 10.0


@pytest.fixture
async def door(gateway: Any) -> AsyncIterator[httpx2.AsyncClient]:
    server = HttpServer(gateway.app(), HttpSettings(port=0, answer_seconds=0.3), unanswered)
    await server.start()
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=SECONDS) as client:
        yield client
    await server.stop()


@pytest.fixture(autouse=True)
def _traces(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = span_provider.make_provider(Resource.create(), [])
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)


async def test_a_hanging_database_is_reported_in_time_with_the_trace_id(
    gateway: Any, door: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(_: Any) -> None:
        await asyncio.Future()

    monkeypatch.setattr(gateway.originals, "save", hangs)
    headers = gateway.firm() | TRACED | {"Accept-Language": "ru"}
    answer = await door.post("/v1/declarations", json=gateway.a_declaration(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:trade:problem:not-in-time")
    assert answer.json()["trace_id"] == TRACE
    assert answer.json()["title"] == "Ответ не готов вовремя"
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("raised", [StopIteration(), GeneratorExit(), asyncio.CancelledError(), RuntimeError("x")])
async def test_any_exception_of_a_reader_is_answered(
    gateway: Any, door: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, raised: BaseException
) -> None:
    def broken(*_: object) -> None:
        raise raised

    monkeypatch.setattr(wco, "read", broken)
    answer = await door.post("/v1/declarations", content=b"<a/>", headers=gateway.firm() | XML | TRACED)
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:trade:problem:internal")
    assert answer.json()["trace_id"] == TRACE


async def test_a_route_that_cancels_itself_is_answered(
    gateway: Any, door: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(*_: Any) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(gateway.originals, "save", cancelled)
    answer = await door.post("/v1/declarations", json=gateway.a_declaration(), headers=gateway.firm() | TRACED)
    assert (answer.status_code, answer.json()["trace_id"]) == (500, TRACE)
