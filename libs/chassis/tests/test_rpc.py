"""Calls between services: caller, right, deadline, trace, and failures."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider
from pymongo.errors import NetworkTimeout, WaitQueueTimeoutError

from chassis.failures import InfrastructureError
from chassis.rpc import (
    GrpcServer,
    Right,
    RpcError,
    TokenSigner,
    TokenVerifier,
    abort,
    connect,
    create_key,
    current_caller,
    deadline_left,
    reason_of,
    violations_of,
)
from chassis.rpc.status import MESSAGE_BYTES
from chassis.settings import DoorSettings
from chassis.testing import eventually
from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import (
    ParkingServiceServicer,
    ParkingServiceStub,
    add_ParkingServiceServicer_to_server,
)

SERVICE = "/trade.parking.v1.ParkingService"
LIST, SHOW, DISCARD = f"{SERVICE}/ListParked", f"{SERVICE}/ShowParked", f"{SERVICE}/DiscardParked"
RIGHTS = {
    LIST: Right(services=("declarations",), staff="parking.read"),
    SHOW: Right(anyone=True),
    DISCARD: Right(services=("declarations",), publishes=True),
}

Behaviour = Callable[[Any, Any], Any]


async def nothing(request: Any, context: Any) -> None:
    """Answer emptily."""


class Peer(ParkingServiceServicer):
    """A service whose methods each test defines."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = nothing
        self.calls = 0

    async def ListParked(self, request: Any, context: Any) -> pb.ListParkedResponse:  # noqa: N802 - the proto's name
        self.calls += 1
        await self.behaviour(request, context)
        return pb.ListParkedResponse()

    async def ShowParked(self, request: Any, context: Any) -> pb.ShowParkedResponse:  # noqa: N802 - the proto's name
        self.calls += 1
        await self.behaviour(request, context)
        return pb.ShowParkedResponse()

    async def RedriveTarget(self, request: Any, context: Any) -> pb.RedriveTargetResponse:  # noqa: N802 - the proto's name
        self.calls += 1
        return pb.RedriveTargetResponse()

    async def DiscardParked(self, request: Any, context: Any) -> pb.DiscardParkedResponse:  # noqa: N802 - the proto's name
        self.calls += 1
        return pb.DiscardParkedResponse()

    async def ListTargets(self, request: Any, context: Any) -> pb.ListTargetsResponse:  # noqa: N802 - the proto's name
        return pb.ListTargetsResponse()

    async def PlanRedrive(self, request: Any, context: Any) -> pb.PlanRedriveResponse:  # noqa: N802 - the proto's name
        return pb.PlanRedriveResponse()

    async def ListAudit(self, request: Any, context: Any) -> pb.ListAuditResponse:  # noqa: N802 - the proto's name
        return pb.ListAuditResponse()


class World:
    def __init__(self, keys: Path) -> None:
        self.keys = keys
        for issuer in ("declarations", "matching", "staff"):
            create_key(keys, issuer)
        self.peer = Peer()
        self.overloaded = False
        self.server = self.make_server(0)
        self._channels: list[grpc.aio.Channel] = []

    def make_server(self, port: int, **door: int) -> GrpcServer:
        server = GrpcServer(
            DoorSettings(port=port, **door),
            TokenVerifier(self.keys),
            audience="registry",
            rights=RIGHTS,
            reflection=True,
            overloaded=lambda: self.overloaded,
        )
        server.register(lambda raw: add_ParkingServiceServicer_to_server(self.peer, raw))
        return server

    def stub(self, issuer: str = "declarations", audience: str = "registry", **options: Any) -> Any:
        signer = TokenSigner(self.keys, issuer)
        channel = connect(f"127.0.0.1:{self.server.port}", signer, audience, **options)
        self._channels.append(channel)
        return ParkingServiceStub(channel)

    def plain(self) -> grpc.aio.Channel:
        """A channel without our interceptors."""
        self._channels.append(grpc.aio.insecure_channel(f"127.0.0.1:{self.server.port}"))
        return self._channels[-1]

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()
        await self.server.stop(0.1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    await world.server.start()
    yield world
    await world.close()


async def failure(call: Any) -> tuple[str, str]:
    """(code, reason) of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value.code().name, reason_of(raised.value)


async def test_a_service_that_is_named_may_call_and_is_known(world: World) -> None:
    actors: list[str] = []

    async def remember(request: Any, context: Any) -> None:
        actors.append(current_caller().actor)

    world.peer.behaviour = remember
    await world.stub().ListParked(pb.ListParkedRequest())
    await world.stub("staff", subject="li", rights=["parking.read"]).ListParked(pb.ListParkedRequest())
    assert actors == ["service:declarations", "staff:li"]


async def test_everybody_else_is_refused_before_the_method_runs(world: World) -> None:
    ask = pb.ListParkedRequest()
    assert await failure(world.stub("matching").ListParked(ask)) == ("PERMISSION_DENIED", "RIGHT_MISSING")
    person = world.stub("staff", subject="li", rights=["parking.write"])
    assert await failure(person.ListParked(ask)) == ("PERMISSION_DENIED", "RIGHT_MISSING")
    assert await failure(world.stub(audience="gateway").ListParked(ask)) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    plain: Any = ParkingServiceStub(world.plain())
    assert await failure(plain.ListParked(ask)) == ("UNAUTHENTICATED", "TOKEN_MISSING")
    forged = (("authorization", "Bearer a.b.c"),)
    assert await failure(plain.ListParked(ask, metadata=forged)) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert world.peer.calls == 0


async def test_a_method_without_a_right_is_refused_to_all(world: World) -> None:
    for stub in (world.stub(), world.stub("staff", subject="li", rights=["parking.read", "parking.write"])):
        code = await failure(stub.RedriveTarget(pb.RedriveTargetRequest()))
        assert code == ("PERMISSION_DENIED", "RIGHT_MISSING")
    assert world.peer.calls == 0


async def test_an_open_method_needs_no_token_and_has_no_caller(world: World) -> None:
    async def ask(request: Any, context: Any) -> None:
        with pytest.raises(LookupError):
            current_caller()

    world.peer.behaviour = ask
    stub: Any = ParkingServiceStub(world.plain())
    await stub.ShowParked(pb.ShowParkedRequest())


async def test_a_refusal_carries_its_reason_and_the_broken_fields(world: World) -> None:
    async def refuse(request: Any, context: Any) -> None:
        violations = [("parties[0].id", "is unknown"), ("parties[1].id", "is suspended")]
        await abort(context, grpc.StatusCode.INVALID_ARGUMENT, "PARTY_UNKNOWN", "two parties", violations)

    world.peer.behaviour = refuse
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await world.stub().ListParked(pb.ListParkedRequest())
    assert raised.value.details() == "two parties"
    assert reason_of(raised.value) == "PARTY_UNKNOWN"
    assert violations_of(raised.value) == [("parties[0].id", "is unknown"), ("parties[1].id", "is suspended")]


@pytest.mark.parametrize("echo", ["Ж" * 10_000, "字" * 10_000, "x" * 100_000, "a\n\x00%" * 5_000])
@pytest.mark.parametrize("count", [0, 1, 500])
async def test_a_refusal_that_repeats_a_long_value_still_arrives_as_that_refusal(
    world: World, echo: str, count: int
) -> None:
    async def refuse(request: Any, context: Any) -> None:
        violations = [(f"identifiers[{place}].value", f"{echo} is none") for place in range(count)]
        raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", f"{echo} is none", violations)

    world.peer.behaviour = refuse
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await world.stub().ListParked(pb.ListParkedRequest())
    assert (raised.value.code().name, reason_of(raised.value)) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert 0 < len(str(raised.value.details()).encode()) <= MESSAGE_BYTES
    sent = violations_of(raised.value)
    assert [field for field, _ in sent[:1]] == ["identifiers[0].value"][:count]
    if count > len(sent):
        assert sent[-1] == ("", f"{count - len(sent) + 1} more are not shown")


async def test_a_refusal_that_fits_is_sent_as_it_is(world: World) -> None:
    violations = [(f"field{place}", "is needed") for place in range(40)]

    async def refuse(request: Any, context: Any) -> None:
        await abort(context, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", "x" * MESSAGE_BYTES, violations)

    world.peer.behaviour = refuse
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await world.stub().ListParked(pb.ListParkedRequest())
    assert violations_of(raised.value) == violations
    assert raised.value.details() == "x" * MESSAGE_BYTES


RAISED = [
    (RpcError(grpc.StatusCode.NOT_FOUND, "NO_SUCH", "no"), ("NOT_FOUND", "NO_SUCH")),
    (InfrastructureError("mongo"), ("UNAVAILABLE", "DEPENDENCY_AWAY")),
    (ConnectionError("kafka"), ("UNAVAILABLE", "DEPENDENCY_AWAY")),
    (NetworkTimeout("mongo-0:27017: a secret"), ("UNAVAILABLE", "DEPENDENCY_AWAY")),
    (WaitQueueTimeoutError("a secret"), ("UNAVAILABLE", "DEPENDENCY_AWAY")),
    (ValueError("a secret"), ("INTERNAL", "INTERNAL")),
    (TimeoutError(), ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")),
]


@pytest.mark.parametrize(("error", "answer"), RAISED, ids=lambda each: type(each).__name__)
async def test_what_a_method_raises_becomes_a_status(world: World, error: Exception, answer: tuple[str, str]) -> None:
    async def break_(request: Any, context: Any) -> None:
        raise error

    world.peer.behaviour = break_
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await world.stub().ListParked(pb.ListParkedRequest())
    assert (raised.value.code().name, reason_of(raised.value)) == answer
    assert "secret" not in str(raised.value.details())


async def test_a_call_without_a_deadline_gets_one_and_the_method_is_stopped(world: World) -> None:
    stopped = asyncio.Event()

    async def hang(request: Any, context: Any) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            stopped.set()
            raise

    world.peer.behaviour = hang
    began = time.monotonic()
    code, _ = await failure(world.stub(deadline_seconds=0.3).ListParked(pb.ListParkedRequest()))
    assert code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - began < 5
    await asyncio.wait_for(stopped.wait(), 5)


async def test_what_is_left_of_an_outer_deadline_is_passed_on(world: World) -> None:
    inner = world.stub(deadline_seconds=20)
    left: list[float] = []

    async def outer(request: Any, context: Any) -> None:
        if request.target == "outer":
            await inner.ListParked(pb.ListParkedRequest(target="inner"))
        else:
            left.append(context.time_remaining())
            left.append(deadline_left() or 0)

    world.peer.behaviour = outer
    await world.stub().ListParked(pb.ListParkedRequest(target="outer"), timeout=15)
    assert len(left) == 2
    assert all(0 < each < 16 for each in left), "the inner call's own would be 20"


async def test_only_unavailable_of_idempotent_methods_is_repeated(world: World) -> None:
    async def away(request: Any, context: Any) -> None:
        if world.peer.calls < 3:
            await abort(context, grpc.StatusCode.UNAVAILABLE, "AWAY")

    world.peer.behaviour = away
    await world.stub(idempotent=[LIST]).ListParked(pb.ListParkedRequest())
    assert world.peer.calls == 3
    world.peer.calls = 0
    assert (await failure(world.stub().ListParked(pb.ListParkedRequest())))[0] == "UNAVAILABLE"
    assert world.peer.calls == 1

    async def broken(request: Any, context: Any) -> None:
        await abort(context, grpc.StatusCode.INTERNAL, "BROKEN")

    world.peer.behaviour, world.peer.calls = broken, 0
    assert (await failure(world.stub(idempotent=[LIST]).ListParked(pb.ListParkedRequest())))[0] == "INTERNAL"
    assert world.peer.calls == 1


async def test_the_trace_and_the_baggage_arrive(world: World) -> None:
    tracer = TracerProvider().get_tracer("test")
    seen: list[tuple[int, Any]] = []

    async def look(request: Any, context: Any) -> None:
        seen.append((trace.get_current_span().get_span_context().trace_id, baggage.get_baggage("trade.ucr")))

    world.peer.behaviour = look
    token = context.attach(baggage.set_baggage("trade.ucr", "UCR-1"))
    try:
        with tracer.start_as_current_span("cause") as span:
            await world.stub().ListParked(pb.ListParkedRequest())
    finally:
        context.detach(token)
    assert seen == [(span.get_span_context().trace_id, "UCR-1")]


async def test_a_peer_that_comes_back_is_reached_again(world: World) -> None:
    stub = world.stub(idempotent=[LIST])
    await stub.ListParked(pb.ListParkedRequest())
    port = world.server.port
    await world.server.stop(0)
    assert (await failure(stub.ListParked(pb.ListParkedRequest(), timeout=2)))[0] in {
        "UNAVAILABLE",
        "DEADLINE_EXCEEDED",
    }
    world.server = world.make_server(port)
    await world.server.start()

    async def answers() -> bool:
        try:
            await stub.ListParked(pb.ListParkedRequest(), timeout=2)
        except grpc.aio.AioRpcError:
            return False
        return True

    await eventually(answers, within_seconds=10)


async def test_health_says_not_serving_before_calls_in_hand_are_finished(world: World) -> None:
    health = health_pb2_grpc.HealthStub(world.plain())
    assert (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    running, go = asyncio.Event(), asyncio.Event()

    async def slow(request: Any, context: Any) -> None:
        running.set()
        await go.wait()

    world.peer.behaviour = slow
    in_hand = asyncio.ensure_future(world.stub().ListParked(pb.ListParkedRequest()))
    await asyncio.wait_for(running.wait(), 5)
    await world.server.say_not_serving()
    assert (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.NOT_SERVING
    stopping = asyncio.ensure_future(world.server.stop(10))
    go.set()
    assert await in_hand == pb.ListParkedResponse()
    await stopping
