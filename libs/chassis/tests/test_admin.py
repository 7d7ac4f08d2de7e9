"""The admin port reports what hangs and what is missing, and does not hang itself."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry, Counter

from chassis.doors.admin import AdminServer
from chassis.settings import ListenSettings


class World:
    def __init__(self) -> None:
        self.hangs: str | None = None
        self.ready: Callable[[], Awaitable[str | None]] = self.fine
        self.registry = CollectorRegistry()
        self.server = AdminServer(
            ListenSettings(port=0),
            live=[lambda: None, lambda: self.hangs],
            ready={"database": self.database, "consumer": self.fine},
            registry=self.registry,
            check_seconds=0.2,
        )

    async def database(self) -> str | None:
        return await self.ready()

    async def fine(self) -> str | None:
        return None

    async def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = (await asyncio.wait_for(reader.read(), 5)).decode()
        writer.close()
        head, _, body = answer.partition("\r\n\r\n")
        return int(head.split(" ")[1]), body


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.server.start()
    yield world
    await world.server.stop()


async def test_alive_until_something_hangs(world: World) -> None:
    assert (await world.get("/livez"))[0] == 200
    world.hangs = "5 records wait and none was resolved for 100 s"
    status, body = await world.get("/livez")
    assert status == 503
    assert json.loads(body)["hanging"] == [world.hangs]


async def test_readiness_names_what_is_missing(world: World) -> None:
    assert (await world.get("/readyz"))[0] == 200

    async def away() -> str | None:
        return "the database is away"

    world.ready = away
    status, body = await world.get("/readyz?verbose")
    assert status == 503
    assert json.loads(body)["not_ready"] == {"database": "the database is away"}


async def test_a_check_that_takes_too_long_or_breaks_says_so_in_time(world: World) -> None:
    async def slow() -> str | None:
        await asyncio.sleep(60)
        return None

    async def broken() -> str | None:
        raise ConnectionError("mongodb://user:secret@db")

    world.ready = slow
    assert "no answer within" in (await world.get("/readyz"))[1]
    world.ready = broken
    status, body = await world.get("/readyz")
    assert (status, "ConnectionError" in body, "secret" in body) == (503, True, False)


async def test_metrics_are_served_in_prometheus_text(world: World) -> None:
    Counter("trade_things", "Things", registry=world.registry).inc(3)
    status, body = await world.get("/metrics")
    assert (status, "trade_things_total 3.0" in body) == (200, True)


async def test_what_is_no_probe_is_refused_and_the_next_one_answered(world: World) -> None:
    assert (await world.get("/"))[0] == 404
    assert (await world.get("/livez", "POST"))[0] == 405
    status, body = await world.get("/livez", "HEAD")
    assert (status, body) == (200, "")
    for garbage in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"A" * 70_000, b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
        writer.write(garbage)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert (await world.get("/livez"))[0] == 200


async def test_a_failing_answer_is_told_and_ends_the_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: str) -> tuple[int, str, bytes]:
        raise ZeroDivisionError

    monkeypatch.setattr(world.server, "answer", fails)
    assert await world.get("/metrics") == (500, '{"error": "ZeroDivisionError"}')


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /huge HTTP/1.1\r\n\r\n"])
async def test_no_connection_to_the_admin_port_stays_open(
    world: World, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    async def huge(*_: str) -> tuple[int, str, bytes]:
        return 200, "text/plain", bytes(50_000_000)

    monkeypatch.setattr("chassis.doors.admin.REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(world.server, "answer", huge)
    ended = asyncio.Event()
    exchange = world.server._serve

    async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await exchange(reader, writer)
        ended.set()

    monkeypatch.setattr(world.server, "_serve", heard)
    await world.server.stop()
    await world.server.start()
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", world.server.port))
        await loop.sock_sendall(client, sent)
        async with asyncio.timeout(5):
            await ended.wait()
