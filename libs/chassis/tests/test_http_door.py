"""The HTTP door: metrics by route, 503 if a server is unavailable, and no more requests admitted than places."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pymongo import errors
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from chassis.doors.answering import App
from chassis.doors.http_door import Routes, http_door
from chassis.settings import HttpSettings
from chassis.testing import eventually

AWAY = [
    errors.NetworkTimeout("mongo-0:27017: timed out"),
    errors.ServerSelectionTimeoutError("mongo-0:27017: no servers"),
    errors.AutoReconnect("mongo-0:27017: connection closed"),
    errors.WaitQueueTimeoutError("no connection became free"),
    errors.ExecutionTimeout("operation exceeded time limit", 50),
    ConnectionRefusedError("10.0.0.1"),
    TimeoutError("peer"),
]


def shown(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def counted(route: str, status: str, method: str = "GET") -> float:
    labels = {"door": "http", "route": route, "method": method, "status": status}
    return shown("trade_http_request_seconds_count", **labels)


def routes_counted() -> set[str]:
    return {
        sample.labels["route"]
        for family in REGISTRY.collect()
        if family.name == "trade_http_request_seconds"
        for sample in family.samples
    }


@dataclass
class Asked:
    """One request and its result."""

    method: str = "GET"
    path: str = "/"
    body: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""

    async def of(self, app: App) -> "Asked":
        """Send a request to an application, with the body as the test gives it."""
        scope = {"type": "http", "method": self.method, "path": self.path, "headers": [], "query_string": b""}
        await app(scope, self.body.get, self._sent)
        return self

    def sends(self, part: bytes = b"", *, more: bool = False) -> None:
        self.body.put_nowait({"type": "http.request", "body": part, "more_body": more})

    async def _sent(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.text += message.get("body", b"").decode()


Endpoint = Callable[[Request], Awaitable[Response]]


def a_door(endpoint: Endpoint, path: str = "/", **settings: Any) -> App:
    app = Starlette(routes=[Route(path, endpoint, methods=["GET", "POST"])])
    return http_door(app, HttpSettings(port=0, **settings), paths=[path])


async def nothing(request: Request) -> Response:
    return PlainTextResponse("")


def test_a_path_has_the_name_of_its_route_and_no_other() -> None:
    routes = Routes(["/", "/v1/receipts/{id_}", "/v1/receipts/{id_}/original", "/files/{id:path}", "/v1.json"])
    assert routes.of("/") == "/"
    assert routes.of("/v1/receipts/a b") == "/v1/receipts/{id_}"
    assert routes.of("/v1/receipts/a/original") == "/v1/receipts/{id_}/original"
    assert routes.of("/files/a/b\nc") == "/files/{id:path}"
    for path in ("/v1/receipts/", "/v1/receipts/a/b", "/v1xjson", "", "/wp-login.php", "//"):
        assert routes.of(path) == "unknown"


async def test_requests_are_counted_by_the_template_of_their_route_and_by_status() -> None:
    before = counted("/a/{id}", "200"), counted("/a/{id}", "405", "DELETE"), counted("unknown", "404")
    door = a_door(nothing, "/a/{id}")
    assert (await Asked(path="/a/1").of(door)).status == (await Asked(path="/a/2").of(door)).status == 200
    assert (await Asked("DELETE", "/a/1").of(door)).status == 405
    assert (await Asked(path="/b/1").of(door)).status == 404
    after = counted("/a/{id}", "200"), counted("/a/{id}", "405", "DELETE"), counted("unknown", "404")
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 1, 1]


async def test_no_caller_makes_a_label_up() -> None:
    door = a_door(nothing, "/a/{id}")
    for number in range(50):
        await Asked(f"VERB{number}", f"/{number}").of(door)
    assert not any("VERB" in str(family.samples) for family in REGISTRY.collect())
    assert not {f"/{number}" for number in range(50)} & routes_counted()
    assert counted("unknown", "404", "other") >= 50


@pytest.mark.parametrize("error", AWAY, ids=lambda each: type(each).__name__)
async def test_a_server_that_is_away_or_slow_is_503_with_a_time_to_come_again(error: Exception) -> None:
    async def breaks(request: Request) -> Response:
        raise error

    answer = await Asked().of(a_door(breaks))
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert json.loads(answer.text)["status"] == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(error) not in answer.text
    assert "Traceback" not in answer.text


async def test_a_fault_of_the_code_is_500_shows_nothing_and_is_not_to_be_repeated() -> None:
    async def breaks(request: Request) -> Response:
        raise ValueError("a secret")

    answer = await Asked().of(a_door(breaks))
    assert answer.status == 500
    assert "retry-after" not in answer.headers
    assert "secret" not in answer.text


class Works:
    """An endpoint that works until the test releases it."""

    def __init__(self) -> None:
        self.at_work = 0
        self.go = asyncio.Event()

    async def __call__(self, request: Request) -> Response:
        await request.body()
        self.at_work += 1
        await self.go.wait()
        return PlainTextResponse("done")

    async def until(self, many: int) -> None:
        async def so_many() -> bool:
            return self.at_work == many

        await eventually(so_many)


async def test_beyond_its_places_a_door_answers_503_before_the_application_runs() -> None:
    works = Works()

    async def endpoint(request: Request) -> Response:
        return await works(request)

    door = a_door(endpoint, places=2, waiting=0)
    asked = [Asked(), Asked()]
    for each in asked:
        each.sends()
    in_hand = [asyncio.create_task(each.of(door)) for each in asked]
    await works.until(2)
    turned_away = await Asked().of(door)
    assert (turned_away.status, int(turned_away.headers["retry-after"]) > 0) == (503, True)
    assert works.at_work == 2
    assert shown("trade_http_requests_in_hand", door="http", route="/", method="GET") == 2
    works.go.set()
    assert [each.status for each in await asyncio.gather(*in_hand)] == [200, 200]
    assert shown("trade_http_requests_in_hand", door="http", route="/", method="GET") == 0
    assert (await Asked("HEAD", "/nowhere").of(door)).status == 404


async def test_an_overloaded_outbox_turns_away_what_changes_something_and_lets_in_who_asks() -> None:
    app = Starlette(routes=[Route("/", nothing, methods=["GET", "POST"])])
    door = http_door(app, HttpSettings(port=0), paths=["/"], overloaded=lambda: True)
    assert (await Asked("POST").of(door)).status == 503
    assert (await Asked("GET").of(door)).status == 200


async def test_a_sender_that_trickles_takes_no_place_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.doors.http_door.SENDING_SECONDS", 0.01)

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(f"{len(await request.body())}")

    door = a_door(endpoint, places=1, waiting=0)
    slow = Asked("POST")
    slow.sends(b"a", more=True)
    trickling = asyncio.create_task(slow.of(door))

    async def place_is_left() -> bool:
        return slow.body.empty() and shown("trade_door_places_taken", door="http") == 0

    await eventually(place_is_left)
    quick = Asked("POST")
    quick.sends(b"xyz")
    assert (await quick.of(door)).text == "3"
    slow.sends(b"b")
    assert (await trickling).text == "2"
    assert shown("trade_door_places_taken", door="http") == 0


async def test_who_reads_an_answer_slowly_takes_no_place_from_others() -> None:
    door = a_door(nothing, places=1, waiting=0)
    read = asyncio.Event()

    async def sent(message: Any) -> None:
        if message["type"] == "http.response.body":
            await read.wait()

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    reading = asyncio.ensure_future(door(scope, asyncio.Queue[Any]().get, sent))
    await asyncio.sleep(0)

    async def another_gets_in() -> bool:
        return (await Asked().of(door)).status == 200

    await eventually(another_gets_in)
    assert not reading.done()
    read.set()
    await reading


async def test_an_application_that_does_not_hear_its_cancellation_keeps_its_place_until_it_ends() -> None:
    let_go = asyncio.Event()

    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    door = http_door(deaf, HttpSettings(port=0, places=1, waiting=0, answer_seconds=0.05), paths=["/"])
    late, turned_away = await Asked().of(door), await Asked().of(door)
    assert (late.status, turned_away.status) == (503, 503)
    assert (late.headers["retry-after"], turned_away.headers["retry-after"]) == ("5", "2")
    let_go.set()

    async def place_is_left() -> bool:
        return shown("trade_door_places_taken", door="http") == 0

    await eventually(place_is_left)
