"""The HTTP door on real sockets: whatever a client or an application does, no connection stays open."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from chassis.doors.answering import App, Otherwise
from chassis.doors.http_server import HttpServer
from chassis.settings import HttpSettings
from chassis.testing import eventually

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LONG = 5.0
"""More than enough seconds for everything here to end."""


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


@asynccontextmanager
async def serving(app: App, otherwise: Otherwise | None = None, **seconds: float) -> AsyncIterator[int]:
    limits = {"head_seconds": 0.2, "answer_seconds": 0.2} | seconds
    server = HttpServer(app, HttpSettings(port=0, **limits), otherwise)
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """Everything received until the server closes the connection; a reset because of unread data counts as the end."""
    found = bytearray()
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(LONG):
            while part := await reader.read(65_536):
                found += part
    return bytes(found)


def cut(why: str) -> float:
    return REGISTRY.get_sample_value("trade_http_connections_cut_total", {"why": why}) or 0.0


async def test_a_connection_on_which_nothing_is_asked_is_closed() -> None:
    async with serving(hello) as port:
        before = cut("silent")
        reader, writer = await connected(port)
        assert await until_closed(reader) == b""
        assert cut("silent") == before + 1
        writer.close()


async def test_a_head_that_comes_byte_by_byte_is_waited_for_so_long_and_no_longer() -> None:
    async with serving(hello) as port:
        reader, writer = await connected(port)

        async def trickle() -> None:
            while True:
                writer.write(b"G")
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        answer = await until_closed(reader)
        trickling.cancel()
        assert answer.startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_hundreds_of_unfinished_heads_are_all_let_go() -> None:
    async with serving(hello, head_seconds=1) as port:
        before = cut("head")
        connections = []
        for _ in range(400):
            connections.append(await connected(port))
            connections[-1][1].write(b"GET / HTTP/1.1\r\n")
        answers = await asyncio.gather(*(until_closed(reader) for reader, _ in connections))
        assert {each[:12] for each in answers} == {b"HTTP/1.1 408"}
        assert cut("head") == before + 400
        for _, writer in connections:
            writer.close()


async def test_the_next_heads_of_a_connection_are_under_the_clock_too() -> None:
    async with serving(hello) as port:
        reader, writer = await connected(port)
        writer.write(HEAD)
        async with asyncio.timeout(LONG):
            await reader.readuntil(b"hi")
        writer.write(b"GET / HT")
        assert (await until_closed(reader)).startswith(b"HTTP/1.1 408 ")
        writer.write(b"TP/1.1\r\n")
        writer.close()


async def test_a_refused_body_that_never_ends_holds_no_connection() -> None:
    async with serving(hello) as port:
        reader, writer = await connected(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")

        async def trickle() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        assert b"hi" in await until_closed(reader)
        trickling.cancel()
        writer.close()


async def test_requests_in_a_row_on_one_connection_outlast_the_limits_together() -> None:
    async with serving(hello) as port:
        reader, writer = await connected(port)
        for _ in range(6):
            writer.write(HEAD)
            async with asyncio.timeout(LONG):
                await reader.readuntil(b"hi")
            await asyncio.sleep(0.1)
        writer.write(HEAD + HEAD)
        async with asyncio.timeout(LONG):
            await reader.readuntil(b"hi")
            await reader.readuntil(b"hi")
        writer.close()


def problem_of(answer: bytes) -> tuple[str, dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    return head.split(b" ")[1].decode(), json.loads(body)


async def deaf(scope: Any, receive: Any, send: Any) -> None:
    """An application that ignores its cancellation."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(0.5)
        await hello(scope, receive, send)


async def never(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Future()


@pytest.mark.parametrize("app", [never, deaf])
async def test_an_application_that_hangs_is_answered_for_with_503(app: App) -> None:
    async with serving(app) as port:
        reader, writer = await connected(port)
        writer.write(HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert problem_of(await until_closed(reader))[0] == "503"
        writer.close()


async def breaks(scope: Any, receive: Any, send: Any) -> None:
    raise ZeroDivisionError


async def is_cancelled(scope: Any, receive: Any, send: Any) -> None:
    raise asyncio.CancelledError


async def says_nothing(scope: Any, receive: Any, send: Any) -> None:
    return


@pytest.mark.parametrize("app", [breaks, is_cancelled, says_nothing])
async def test_an_application_that_ends_without_an_answer_is_answered_for_with_500(app: App) -> None:
    async with serving(app, head_seconds=60, answer_seconds=60) as port:
        reader, writer = await connected(port)
        writer.write(HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert problem_of(await until_closed(reader))[0] == "500"
        writer.close()


async def test_an_answer_that_stops_half_way_ends_the_connection() -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b"ha", "more_body": True})
        await asyncio.Future()

    async with serving(half) as port:
        reader, writer = await connected(port)
        writer.write(HEAD)
        assert (await until_closed(reader)).endswith(b"\r\n\r\nha")
        writer.close()


async def test_an_answer_that_nobody_takes_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.doors.http_connection.GRACE_SECONDS", 0.2)

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})

    async with serving(endless) as port:
        before = cut("answer")
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", port))
            await loop.sock_sendall(client, HEAD)

            async def ended() -> bool:
                return cut("answer") > before

            await eventually(ended)
