"""`trade parked` over real gRPC: lists, shows, redrives and discards, for people and for programs."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.delivery.policy import DeliveryPolicy
from chassis.delivery.records import RawRecord
from chassis.delivery.subscriptions import RawSubscription
from chassis.mending.rpc import PARKING_RIGHTS, add_parking_service
from chassis.parking.model import ParkedDelivery, Position
from chassis.rpc import GrpcServer, TokenVerifier, create_key
from chassis.settings import DoorSettings
from chassis.testing import ManualClock, MemoryParking

TOPIC = "inbox.port-qd"


class Handler:
    """Accepts fixed deliveries."""

    def __init__(self) -> None:
        self.mended = False
        self.taken: list[int] = []

    async def apply(self, records: list[RawRecord]) -> None:
        if not self.mended:
            raise ValueError("the rule is wrong")
        self.taken += [record.offset for record in records]


class World:
    """One service with parked deliveries, one that is down, and the platform file that names them."""

    def __init__(self, folder: Path) -> None:
        keys = folder / "keys"
        create_key(keys, "staff")
        self.clock = ManualClock()
        self.parking = MemoryParking(self.clock)
        self.handler = Handler()
        policy = DeliveryPolicy([RawSubscription(TOPIC, self.handler)], self.parking, self.clock, build="b")  # type: ignore[arg-type]
        self.server = GrpcServer(DoorSettings(port=0), TokenVerifier(keys), audience="gateway", rights=PARKING_RIGHTS)
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
    stack = 'Traceback\n  File "rules.py", line 7, in place\n    raise ValueError\nValueError: [wrong]\n'
    return ParkedDelivery(
        "T-1", Position(TOPIC, 0, offset), b"K", headers, b"{}", 1, "refused", "ValueError: [wrong]", stack, build="b-0"
    )


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
    assert f"failed again: {TOPIC}/0/7/T-1: refused: ValueError: the rule is wrong" in output
    world.handler.mended = True
    status, output, _ = await world.trade("redrive", "T-1", "--reason", "mended", "--json", "--service", "gateway")
    assert status == 0
    counts = {"applied": 2, "duplicates": 0, "released": 0, "remaining": 0, "failed": None}
    assert json.loads(output) == [{"service": "gateway", "target": "T-1", **counts}]
    assert world.handler.taken == [7, 8]
    audit = [(line["by"], line["why"]) for line in world.parking.audit_lines]
    assert audit == [("staff:li", "try"), ("staff:li", "mended"), ("staff:li", "mended")]


async def test_discard_needs_a_reason_and_keeps_it(world: World) -> None:
    status, _, _ = await world.trade("discard", f"{TOPIC}/0/7/T-1")
    assert status != 0
    status, _, errors = await world.trade("discard", f"{TOPIC}/0/7/T-1", "--reason", " ", "-s", "gateway")
    assert status == 1
    assert len(errors.strip().splitlines()) <= 2
    status, output, _ = await world.trade("discard", f"{TOPIC}/0/7/T-1", "--reason", "sent again", "-s", "gateway")
    assert (status, "discarded" in output, "1 still wait" in output) == (0, True, True)
    assert [line["why"] for line in world.parking.audit_lines] == ["sent again"]


async def test_a_list_by_target_says_what_failed_first_and_how_many_wait(world: World) -> None:
    status, output, _ = await world.trade("list", "--by", "target", "--json", "-s", "gateway")
    (row,) = json.loads(output)
    assert (status, row["target"], row["waiting"], row["first"]["offset"]) == (0, "T-1", 2, 7)
    await world.parking.set_breaker("schema")
    status, output, errors = await world.trade("list", "--by", "target", "-s", "gateway")
    assert (status, "ValueError: [wrong]" in output) == (0, True)
    assert "gateway: the breaker is open since" in errors


async def test_explain_tells_why_since_when_how_many_and_what_a_redrive_would_do(world: World) -> None:
    status, output, _ = await world.trade("explain", "T-1", "--service", "gateway")
    assert status == 0
    for part in (
        "2 waiting",
        "refused: ValueError: [wrong]",
        "refused by b-0; running now: b",
        "another build refused",
    ):
        assert part in output
    assert output.index(f"1. {TOPIC}/0/7/T-1") < output.index(f"2. {TOPIC}/0/8/T-1")
    assert "in place" in output, "the line of the stack that says where"
    status, output, _ = await world.trade("explain", "T-1", "--json", "--limit", "1", "-s", "gateway")
    (row,) = json.loads(output)
    assert (row["waiting"], [step["expected"] for step in row["steps"]]) == (2, ["other_build"])
    assert world.handler.taken == []
    assert await world.parking.counts() == (2, 1)
    status, _, errors = await world.trade("explain", "T-9", "-s", "gateway")
    assert (status, errors.strip()) == (1, "trade: nothing is parked as 'T-9'")


async def test_the_audit_is_read_across_services(world: World) -> None:
    status, output, _ = await world.trade("audit", "-s", "gateway")
    assert (status, output.strip()) == (0, "nothing was redriven or discarded")
    await world.trade("discard", f"{TOPIC}/0/7/T-1", "--reason", "sent again", "-s", "gateway")
    await world.parking.set_breaker("schema")
    status, output, _ = await world.trade("redrive", "~breaker", "--reason", "go on", "-s", "gateway")
    assert (status, output.strip()) == (0, "gateway: the breaker is closed")
    status, output, errors = await world.trade("audit", "--json")
    rows = json.loads(output)
    assert "registry does not answer" in errors
    assert {(row["service"], row["action"], row["target"], row["by"], row["why"]) for row in rows} == {
        ("gateway", "discarded", "T-1", "staff:li", "sent again"),
        ("gateway", "resumed", "~breaker", "staff:li", "go on"),
    }
    status, output, _ = await world.trade("audit", "--target", "T-1", "-s", "gateway")
    assert ("sent again" in output, "go on" in output) == (True, False)


async def test_nothing_is_never_said_of_a_service_that_could_not_be_asked(world: World) -> None:
    for by in ("delivery", "target"):
        _, output, _ = await world.trade("list", "--target", "T-9", "--by", by)
        assert output.strip() == "nothing is parked at gateway; registry could not be asked"
    _, output, _ = await world.trade("audit")
    assert output.strip() == "nothing was redriven or discarded at gateway; registry could not be asked"
    status, _, errors = await world.trade("explain", "T-9")
    assert status == 1
    assert "nothing is parked as 'T-9' at gateway; registry could not be asked" in errors


async def test_an_unknown_service_is_one_line(world: World) -> None:
    status, _, errors = await world.trade("list", "--service", "nowhere")
    assert (status, len(errors.strip().splitlines())) == (1, 1)
    assert "gateway, registry" in errors


async def test_help_gives_examples(world: World) -> None:
    for command in ("list", "explain", "show", "redrive", "discard", "audit"):
        status, output, _ = await world.trade(command, "--help")
        assert (status, "Example" in output) == (0, True)
