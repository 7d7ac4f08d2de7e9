"""The gRPC door: no more calls admitted than places, turned-away calls are retried, and every call is counted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY
from test_rpc import DISCARD, LIST, World, failure

from chassis.rpc.counting import code_name
from chassis.testing import eventually
from trade.parking.v1 import parking_pb2 as pb

TURNED_AWAY = ("UNAVAILABLE", "OVERLOADED")


def shown(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"door": "grpc", **labels}) or 0.0


def counted(method: str, code: str) -> float:
    return shown("trade_grpc_call_seconds_count", method=method, code=code)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A server with one place and no queue."""
    world = World(tmp_path)
    world.server = world.make_server(0, places=1, waiting=0)
    await world.server.start()
    yield world
    await world.close()


class Working:
    """A method that works until the test releases it."""

    def __init__(self, world: World) -> None:
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        world.peer.behaviour = self._work

    async def _work(self, request: Any, context: Any) -> None:
        self.begun.set()
        await self.go.wait()


async def test_beyond_its_places_a_call_is_turned_away_before_the_method_runs(world: World) -> None:
    working, stub = Working(world), world.stub()
    in_hand = asyncio.ensure_future(stub.ListParked(pb.ListParkedRequest()))
    await asyncio.wait_for(working.begun.wait(), 5)
    assert shown("trade_grpc_calls_in_hand", method=LIST) == shown("trade_door_places_taken") == 1
    assert await failure(stub.ListParked(pb.ListParkedRequest())) == TURNED_AWAY
    assert world.peer.calls == 1
    working.go.set()
    await in_hand
    await stub.ListParked(pb.ListParkedRequest())
    assert shown("trade_grpc_calls_in_hand", method=LIST) == shown("trade_door_places_taken") == 0


async def test_probes_and_strangers_take_no_place(world: World) -> None:
    working = Working(world)
    in_hand = asyncio.ensure_future(world.stub().ListParked(pb.ListParkedRequest()))
    await asyncio.wait_for(working.begun.wait(), 5)
    health = health_pb2_grpc.HealthStub(world.plain())
    assert (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    assert (await failure(world.stub("matching").ListParked(pb.ListParkedRequest())))[0] == "PERMISSION_DENIED"
    working.go.set()
    await in_hand


async def test_who_has_the_patience_comes_again_until_there_is_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.rpc.guard.AGAIN_SECONDS", 0.02)
    working = Working(world)
    in_hand = asyncio.ensure_future(world.stub().ListParked(pb.ListParkedRequest()))
    await asyncio.wait_for(working.begun.wait(), 5)
    before = shown("trade_door_turned_away_total", why="full")
    patient = asyncio.ensure_future(world.stub(patience_seconds=30).ListParked(pb.ListParkedRequest()))

    async def turned_away_again_and_again() -> bool:
        return shown("trade_door_turned_away_total", why="full") >= before + 3

    await eventually(turned_away_again_and_again)
    working.go.set()
    assert await patient == await in_hand == pb.ListParkedResponse()
    assert world.peer.calls == 2


async def test_patience_is_for_who_was_turned_away_and_not_for_what_may_have_been_done(world: World) -> None:
    async def away(request: Any, context: Any) -> None:
        raise ConnectionError("half way")

    world.peer.behaviour = away
    stub = world.stub(patience_seconds=30)
    assert await failure(stub.ListParked(pb.ListParkedRequest())) == ("UNAVAILABLE", "DEPENDENCY_AWAY")
    assert world.peer.calls == 1


async def test_an_overloaded_outbox_turns_away_what_publishes_and_nothing_else(world: World) -> None:
    world.overloaded = True
    before = counted(DISCARD, "UNAVAILABLE")
    assert await failure(world.stub().DiscardParked(pb.DiscardParkedRequest())) == TURNED_AWAY
    await world.stub().ListParked(pb.ListParkedRequest())
    assert world.peer.calls == 1
    assert counted(DISCARD, "UNAVAILABLE") == before + 1


async def test_calls_are_counted_by_method_and_code_and_nobody_makes_a_label_up(world: World) -> None:
    before = [counted(LIST, "OK"), counted(LIST, "UNAUTHENTICATED"), counted("unknown", "UNIMPLEMENTED")]
    await world.stub().ListParked(pb.ListParkedRequest())
    nobody: Any = world.plain()
    await failure(nobody.unary_unary(LIST)(b""))
    assert await failure(nobody.unary_unary("/made.up/Method")(b"")) == ("UNIMPLEMENTED", "")
    after = [counted(LIST, "OK"), counted(LIST, "UNAUTHENTICATED"), counted("unknown", "UNIMPLEMENTED")]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1]
    assert "/made.up" not in str([family.samples for family in REGISTRY.collect() if "grpc" in family.name])


async def test_a_call_whose_caller_leaves_is_counted_as_such_and_leaves_its_place(world: World) -> None:
    working = Working(world)
    before = counted(LIST, "CANCELLED")
    leaving = world.stub().ListParked(pb.ListParkedRequest())
    in_hand = asyncio.ensure_future(leaving)
    await asyncio.wait_for(working.begun.wait(), 5)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await in_hand

    async def is_counted() -> bool:
        return counted(LIST, "CANCELLED") == before + 1 and shown("trade_door_places_taken") == 0

    await eventually(is_counted)


def test_every_code_has_its_name() -> None:
    assert code_name(None, None) == code_name(0, None) == "OK"
    assert code_name(grpc.StatusCode.NOT_FOUND, None) == code_name(5, None) == "NOT_FOUND"
    assert code_name(None, ValueError()) == code_name(77, None) == "UNKNOWN"
