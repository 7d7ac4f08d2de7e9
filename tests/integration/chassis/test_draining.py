"""What a service tells the world while it drains, and what it still knows after a restart."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY as METRICS
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.assembly import Assembly
from chassis.doors.answering import plainly
from chassis.parking.mongo import MongoParking
from chassis.rpc.identity import create_key
from chassis.service import NOTHING_PARKED_SECONDS, Service
from chassis.settings import DoorSettings, HttpSettings, KafkaSettings, ListenSettings, MongoSettings, ServiceSettings
from chassis.testing import eventually
from launcher.infrastructure import Infrastructure
from launcher.ports import PortBlock

DISCONNECTED_SECONDS = 3.0
"""What a stop takes beside what it waits for; a span for each part would be twice as long."""


class TestSettings(ServiceSettings):
    __test__ = False
    model_config = SettingsConfigDict(env_prefix="TEST_DRAINING_")


@pytest.fixture
def ports() -> Iterator[dict[str, int]]:
    block = PortBlock()
    yield block.choose(["grpc", "http"], {})
    block.release()


@pytest.fixture
def settings(infrastructure: Infrastructure, tmp_path: Path, ports: dict[str, int]) -> TestSettings:
    name = f"drains-{secrets.token_hex(4)}"
    create_key(tmp_path, name)
    return TestSettings(
        environment="development",
        name=name,
        instance="one",
        kafka=KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers, session_timeout_ms=3000),
        mongo=MongoSettings(url=SecretStr(infrastructure.mongo_url)),
        grpc=DoorSettings(port=ports["grpc"]),
        admin=ListenSettings(port=0),
        keys_dir=tmp_path,
    )


@asynccontextmanager
async def running(assembly: Assembly, stopping: asyncio.Event) -> AsyncIterator[None]:
    life = asyncio.create_task(Service(assembly).run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(life, 30)


class SlowDoor:
    """An ASGI application whose one request is in hand until it is let go."""

    def __init__(self) -> None:
        self.taken = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.taken.set()
        await self.let_go.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def test_health_says_not_serving_before_the_work_in_hand_is_finished(
    settings: TestSettings, ports: dict[str, int]
) -> None:
    service, door, stopping = Assembly(settings), SlowDoor(), asyncio.Event()
    http = HttpSettings(port=ports["http"])
    service.http(door, http, paths=["/"], otherwise=plainly)
    async with (
        running(service, stopping),
        grpc.aio.insecure_channel(f"127.0.0.1:{settings.grpc.port}") as channel,
    ):
        health = health_pb2_grpc.HealthStub(channel)

        async def status() -> int:
            answer = await health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=20)
            return int(answer.status)

        assert await status() == health_pb2.HealthCheckResponse.SERVING

        connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

        async def open_door() -> bool:
            try:
                connections.append(await asyncio.open_connection("127.0.0.1", http.port))
            except ConnectionError:
                return False
            return True

        await eventually(open_door)
        reader, writer = connections[0]
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await door.taken.wait()
        stopping.set()

        async def turned_away() -> bool:
            return bool(await status() == health_pb2.HealthCheckResponse.NOT_SERVING)

        try:
            await eventually(turned_away, within_seconds=3)
        finally:
            door.let_go.set()
        assert b"204" in await reader.read()
        writer.close()


async def test_a_stop_takes_as_long_as_it_may_and_no_longer_whatever_hangs(
    settings: TestSettings, ports: dict[str, int]
) -> None:
    settings = settings.model_copy(update={"drain_seconds": 2.0})
    service, door, stopping = Assembly(settings), SlowDoor(), asyncio.Event()
    http = HttpSettings(port=ports["http"])
    service.http(door, http, paths=["/"], otherwise=plainly)
    connections: list[asyncio.StreamWriter] = []
    async with (
        grpc.aio.insecure_channel(f"127.0.0.1:{settings.grpc.port}") as channel,
        running(service, stopping),
    ):
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        await asyncio.wait_for(watch.read(), 20)

        async def taken() -> bool:
            with suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", http.port)
                connections.append(writer)
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                await door.taken.wait()
            return bool(connections)

        await eventually(taken)
        begun = time.monotonic()
    assert settings.drain_seconds <= time.monotonic() - begun < settings.drain_seconds + DISCONNECTED_SECONDS
    connections[0].close()


async def test_an_open_breaker_is_shown_by_a_process_that_did_not_open_it(settings: TestSettings) -> None:
    service = Assembly(settings)
    assert isinstance(service.parking, MongoParking)
    await service.parking.set_breaker("schema")
    async with running(service, asyncio.Event()):

        async def shown() -> bool:
            return bool(METRICS.get_sample_value("trade_breaker_open") == 1)

        await eventually(shown, within_seconds=NOTHING_PARKED_SECONDS + 3)
        await service.parking.clear_breaker()

        async def over() -> bool:
            return bool(METRICS.get_sample_value("trade_breaker_open") == 0)

        await eventually(over, within_seconds=NOTHING_PARKED_SECONDS + 3)
