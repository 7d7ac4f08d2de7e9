"""`trade parked` over real gRPC: lists, shows, redrives and discards, for people and for programs."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.clock import ManualClock
from chassis.delivery import DeliveryPolicy, RawSubscription
from chassis.parking import ParkedDelivery, Position
from chassis.parking_memory import MemoryParking
from chassis.parking_rpc import PARKING_RIGHTS, add_parking_service
from chassis.records import RawRecord
from chassis.rpc import GrpcServer, TokenVerifier, create_key
from chassis.settings import ListenSettings

TOPIC = "inbox.port-qd"


class Handler:
    """Takes what is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.taken: list[int] = []

    async def apply(self, records: list[RawRecord]) -> None:
        if not self.mended:
            raise ValueError("the rule is wrong")
        self.taken += [record.offset for record in records]


class World:
    """One service with parked deliveries, one that is away, and the file that names them."""

    def __init__(self, folder: Path) -> None:
        keys = folder / "keys"
        create_key(keys, "staff")
        self.clock = ManualClock()
        self.parking = MemoryParking(self.clock)
        self.handler = Handler()
        policy = DeliveryPolicy([RawSubscription(TOPIC, self.handler)], self.parking, self.clock, build="b")  # type: ignore[arg-type]
        self.server = GrpcServer(ListenSettings(port=0), TokenVerifier(keys), audience="gateway", rights=PARKING_RIGHTS)
        self.server.register(lambda raw: add_parking_service(raw, policy, self.parking))
        self._file, self._keys = folder / "platform.json", keys

    async def start(self) -> None:
        await self.server.start()
        await self.parking.park([_parked(7), _parked(8)])
        platform = {
            "name": "test",
            "kafka": "127.0.0.1:1",
            "mongo_url": "mongodb://127.0.0.1:1",
            "database": "none",
            "keys_dir": str(self._keys),
            "gateway_url": "http://127.0.0.1:1",
            "tracking_url": "http://127.0.0.1:1",
            "services": {
                "gateway": {"pid": 1, "grpc": f"127.0.0.1:{self.server.port}"},
                "registry": {"pid": 2, "grpc": "127.0.0.1:1"},
                "tracking": {"pid": 3, "grpc": None},
            },
        }
        self._file.write_text(json.dumps(platform))

    async def trade(self, *arguments: str) -> tuple[int, str, str]:
        """(exit status, output, error output)"""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "trade_cli.main", "parked", *arguments,
            env={**os.environ, "TRADE_PLATFORM": str(self._file), "TRADE_STAFF": "li"},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, output.decode(), errors.decode()


def _parked(offset: int) -> ParkedDelivery:
    headers = (("ce_id", b"E-[1]"), ("odd", None))
    return ParkedDelivery("T-1", Position(TOPIC, 0, offset), b"K", headers, b"{}", 1, "refused", "ValueError: [wrong]")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    await world.start()
    yield world
    await world.server.stop(0.1)


async def test_list_shows_what_answers_and_names_what_does_not(world: World) -> None:
    status, output, errors = await world.trade("list", "--json")
    assert status == 0
    assert [(row["service"], row["offset"], row["error"]) for row in json.loads(output)] == [
        ("gateway", 7, "ValueError: [wrong]"),
        ("gateway", 8, "ValueError: [wrong]"),
    ]
    assert "registry does not answer" in errors
    status, output, _ = await world.trade("list", "--service", "gateway")
    assert (status, f"{TOPIC}/0/7/T-1" in output, "[wrong]" in output) == (0, True, True)


async def test_show_prints_headers_and_content(world: World) -> None:
    status, output, _ = await world.trade("show", f"{TOPIC}/0/7/T-1", "--json")
    shown = json.loads(output)
    assert (status, shown["headers"], shown["value"]) == (0, {"ce_id": "E-[1]", "odd": ""}, "{}")
    status, _, errors = await world.trade("show", "nothing/0/0/x", "-s", "gateway")
    assert (status, errors.strip()) == (1, "trade: nothing is parked as 'nothing/0/0/x'")


async def test_redrive_says_what_failed_again_and_what_went_through(world: World) -> None:
    status, output, _ = await world.trade("redrive", "T-1", "--reason", "try", "--service", "gateway")
    assert (status, "2 still parked" in output) == (1, True)
    world.handler.mended = True
    status, output, _ = await world.trade("redrive", "T-1", "--reason", "mended", "--json", "--service", "gateway")
    assert status == 0
    assert json.loads(output) == [
        {"service": "gateway", "target": "T-1", "applied": 2, "duplicates": 0, "remaining": 0}
    ]
    assert world.handler.taken == [7, 8]
    assert {(line["by"], line["why"]) for line in world.parking.audit} == {("staff:li", "mended")}


async def test_discard_needs_a_reason_and_keeps_it(world: World) -> None:
    status, _, _ = await world.trade("discard", f"{TOPIC}/0/7/T-1")
    assert status != 0
    status, _, errors = await world.trade("discard", f"{TOPIC}/0/7/T-1", "--reason", " ", "-s", "gateway")
    assert status == 1
    assert len(errors.strip().splitlines()) <= 2
    status, output, _ = await world.trade("discard", f"{TOPIC}/0/7/T-1", "--reason", "sent again", "-s", "gateway")
    assert (status, "discarded" in output) == (0, True)
    assert [line["why"] for line in world.parking.audit] == ["sent again"]


async def test_an_unknown_service_is_one_line(world: World) -> None:
    status, _, errors = await world.trade("list", "--service", "nowhere")
    assert (status, len(errors.strip().splitlines())) == (1, 1)
    assert "gateway, registry" in errors


async def test_help_gives_examples(world: World) -> None:
    for command in ("list", "show", "redrive", "discard"):
        status, output, _ = await world.trade(command, "--help")
        assert (status, "Example" in output) == (0, True)
