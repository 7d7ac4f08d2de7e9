"""Two replicas of declarations, restarted in turn under traffic: no request is lost, no field of a newer release."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from chaos.breaking import at_rest, closed, traffic_on
from chaos.cells import Cell, Ground, Verdict
from chaos.judged import judged, kept
from chaos.shipment import on_platform
from pymongo import AsyncMongoClient

from chassis.identity import TokenSigner
from chassis.rpc import connect
from chassis.testing import eventually
from launcher import services
from launcher.platform import Platform, says_ready
from launcher.ports import PortBlock
from launcher.processes import Child
from launcher.services import Surroundings
from trade.declarations.v1 import declarations_pb2 as pb
from trade.declarations.v1.declarations_pb2_grpc import DeclarationServiceStub

Call = Callable[[Any], Awaitable[Any]]

SHIPMENTS = 6
WITHIN_SECONDS = 180.0
PAUSE_SECONDS = 0.1
BOTH_REFUSE_SECONDS = 0.05


@dataclass
class Client:
    """Asks the replicas in turn, and the other where the connection is refused."""

    replicas: Sequence[Call]
    answered: Counter[int] = field(default_factory=Counter)
    """Replica → how many requests."""
    elsewhere: int = 0
    """How often the other one was asked."""
    errors: Counter[str] = field(default_factory=Counter)
    """What nobody has declared."""

    async def ask(self, request: Any) -> Any:
        """One request, asked until it is answered; under its own id, so that it counts once."""
        first = sum(self.answered.values())
        while True:
            for turn in range(len(self.replicas)):
                place = (first + turn) % len(self.replicas)
                try:
                    answer = await self.replicas[place](request)
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        self.errors[f"{error.code().name}: {error.details()}"] += 1
                    continue
                self.answered[place] += 1
                self.elsewhere += turn > 0
                return answer
            self.errors["both replicas refuse"] += 1
            await asyncio.sleep(BOTH_REFUSE_SECONDS)

    async def reaches(self, place: int) -> None:
        """Wait until a replica that was restarted answers this client again: its channel pauses between attempts."""
        before = self.answered[place]

        async def answers() -> bool:
            return self.answered[place] > before

        await eventually(answers, within_seconds=30)

    def verdict(self) -> Verdict:
        assert self.elsewhere, "no replica was ever away: nothing was tried"
        return Verdict(1, sum(self.answered.values()), [f"1: {count} × {what}" for what, count in self.errors.items()])


async def declarations_roll(ground: Ground) -> Sequence[Verdict]:
    """Two replicas of declarations are restarted in turn, twice, under traffic; what a newer one stored stays."""
    async with on_platform(ground) as (platform, _), _second(platform) as second:
        async with traffic_on(platform, shipments=SHIPMENTS, seed=1) as first:
            waves = [first.another(number) for number in (2, 3)]
            await waves[0].run(WITHIN_SECONDS)
            async with _readers(platform, second) as client, asyncio.TaskGroup() as group:
                group.create_task(waves[1].run(WITHIN_SECONDS))
                marked = await eventually(lambda: _mark_as_newer(platform), within_seconds=60, every_seconds=0.2)
                for _ in range(2):
                    await platform.restart("declarations")
                    await client.reaches(0)
                    await second.restart()
                    await client.reaches(1)
        world = await at_rest(platform)
        assert closed(world) == SHIPMENTS * len(waves)
        assert await _marked(platform) == marked, "a newer release's field was lost"
        sent = [each for wave in waves for each in wave.sent]
        return kept([*judged(world, sent), client.verdict()])


@dataclass
class Second:
    """A second process of declarations, beside the platform's own."""

    child: Child
    around: Surroundings

    @property
    def address(self) -> str:
        return self.around.address("declarations.grpc")

    async def restart(self) -> None:
        await self.child.stop()
        await self.start()

    async def start(self) -> None:
        self.child.start()
        url = f"http://{self.around.address('declarations.admin')}/readyz"
        await self.child.until(lambda: says_ready(url), seconds=60)


@asynccontextmanager
async def _second(platform: Platform) -> AsyncIterator[Second]:
    block = PortBlock()
    own = block.choose(["declarations.grpc", "declarations.admin"], {})
    servers = platform.infrastructure
    ports = json.loads(platform.layout.ports.read_text()) | own
    around = Surroundings(platform.layout, ports, servers.bootstrap_servers, servers.mongo_url)
    second = Second(services.child("declarations", around, {"TRADE_INSTANCE": "declarations-1"}), around)
    try:
        await second.start()
        yield second
    finally:
        await second.child.stop()
        block.release()


@asynccontextmanager
async def _readers(platform: Platform, second: Second) -> AsyncIterator[Client]:
    """Somebody who asks for declarations all the time, of either replica."""
    done, ids = asyncio.Event(), list(await _stored(platform))
    signer = TokenSigner(platform.layout.keys, "tracking")
    addresses = [platform.describe()["services"]["declarations"]["grpc"], second.address]
    async with contextlib.AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(connect(each, signer, "declarations", deadline_seconds=15.0))
            for each in addresses
        ]
        stubs: list[Any] = [DeclarationServiceStub(each) for each in channels]
        client = Client([stub.GetDeclaration for stub in stubs])

        async def ask() -> None:
            number = 0
            while not done.is_set():
                number += 1
                wanted = ids[number % len(ids)]
                answer = await client.ask(pb.GetDeclarationRequest(declaration_id=wanted))
                assert answer.declaration.id == wanted
                await asyncio.sleep(PAUSE_SECONDS)

        async with asyncio.TaskGroup() as group:
            group.create_task(ask())
            try:
                yield client
            finally:
                done.set()


_NEWER = {"future": "kept", "state.future": {"deep": 1}}


async def _mark_as_newer(platform: Platform) -> int:
    """Give declarations that are on their way fields that only a newer release knows, once there are two; how many."""
    stored = await _stored(platform)
    on_their_way = [id_ for id_, each in stored.items() if each["state"]["status"] in ("prelodged", "assessed")]
    if len(on_their_way) < 2:
        return 0
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(platform.infrastructure.mongo_url)
    async with client:
        await client["declarations"]["declarations"].update_many({"_id": {"$in": on_their_way}}, {"$set": _NEWER})
    return len(on_their_way)


async def _marked(platform: Platform) -> int:
    """How many have those fields still, and were saved since: they are closed."""
    stored = (await _stored(platform)).values()
    kept_it = [each for each in stored if each.get("future") and each["state"].get("future") == {"deep": 1}]
    return sum(each["state"]["status"] == "closed" for each in kept_it)


async def _stored(platform: Platform) -> dict[str, dict[str, Any]]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(platform.infrastructure.mongo_url)
    async with client:
        return {each["_id"]: each async for each in client["declarations"]["declarations"].find()}


CELLS = [Cell("upgrade", "declarations roll under traffic", declarations_roll, own_servers=True, limit_seconds=400)]
