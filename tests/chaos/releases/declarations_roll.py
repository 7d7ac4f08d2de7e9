"""The real declarations, rolled over three releases under traffic: no request is lost, no field of a newer one."""

import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chaos.cells.ground import Cell, Ground, Verdict
from chaos.harness.breaking import at_rest, closed, traffic_on
from chaos.harness.shipment import on_platform
from chaos.harness.traffic import Traffic
from chaos.judging.platform import judged, kept
from chaos.releases.meanwhile import meanwhile
from chaos.releases.replica_client import PAUSE_SECONDS, Client
from pymongo import AsyncMongoClient

from chassis.rpc import connect
from chassis.rpc.identity import TokenSigner
from chassis.testing import eventually
from launcher import services
from launcher.platform import Platform, says_ready
from launcher.ports import PortBlock
from launcher.processes import Child
from launcher.services import Surroundings
from trade.declarations.v1 import declarations_pb2 as pb
from trade.declarations.v1.declarations_pb2_grpc import DeclarationServiceStub
from trade_cli.partner_moves import MOVES

Stored = Mapping[str, Mapping[str, Any]]
"""Documents of declarations, by id."""

SHIPMENTS = 4
"""Of one wave."""
WITHIN_SECONDS = 180.0
NOT_ON = frozenset(MOVES) - {"payment", "presentation", "removal"}
"""The moves of partners who let nothing come further than its assessment."""
HELD = frozenset({"assessed", "released"})


async def declarations_roll(ground: Ground) -> Sequence[Verdict]:
    """Two replicas of declarations, release 1 to 2, back, to 2 again, to 3 and back to 2, while shipments flow.

    What is held on its way is written by each release after the other: it has been seen by all of them in the end.
    """
    async with on_platform(ground) as (platform, _), traffic_on(platform, shipments=SHIPMENTS, seed=1) as first:
        held, later = (replace(first.another(number), answers=NOT_ON, done=HELD) for number in (2, 3))
        async with _replicas(platform) as replicas, _readers(platform, replicas) as client:
            async with _flow(first) as flow:
                await _roll(replicas, client, 2)
                await held.run(WITHIN_SECONDS)
                newer = await _stored(platform, held)
                assert all(each["state"].get("steps") for each in newer.values()), "the newer release left its field"

                await _roll(replicas, client, 1)
                await _close(held)
                for before, after in _written(newer, await _stored(platform, held)):
                    assert after["state"].get("steps") == before["state"]["steps"], f"{after['_id']} lost the field"

                await _roll(replicas, client, 2)
                await _roll(replicas, client, 3)
                await later.run(WITHIN_SECONDS)
                newest = await _stored(platform, later)
                assert {each["schema"] for each in newest.values()} == {2}, "the newest release wrote another schema"

                await _roll(replicas, client, 2)
                await _close(later)
                for before, after in _written(newest, await _stored(platform, later)):
                    assert after["schema"] == before["schema"], f"{after['_id']} has schema {after['schema']} again"
                    assert after["state"]["steps"] > before["state"]["steps"], f"{after['_id']} was not counted on"
            world = await at_rest(platform)
        waves = [held, later, *flow]
        assert closed(world) == SHIPMENTS * len(waves)
        sent = [each for wave in waves for each in wave.sent]
        return kept([*judged(world, sent), client.verdict()])


async def _roll(replicas: Sequence["Replica"], client: Client, release: int) -> None:
    """Replace one replica after the other."""
    for place, replica in enumerate(replicas):
        await replica.restart(release)
        await client.reaches(place)


@asynccontextmanager
async def _flow(first: Traffic) -> AsyncIterator[list[Traffic]]:
    """Shipments from lodging to closing, wave by wave, as long as the block lasts; the waves."""
    waves: list[Traffic] = []

    async def flow() -> None:
        waves.append(first.another(100 + len(waves)))
        await waves[-1].run(WITHIN_SECONDS)

    async with meanwhile(flow):
        yield waves


async def _close(wave: Traffic) -> None:
    """Let partners answer what they held back, to the end."""
    wave.answers, wave.done = frozenset(MOVES), frozenset({"closed"})
    await wave.run(WITHIN_SECONDS)


@dataclass
class Replica:
    """One process of declarations, of one release after the other."""

    instance: str
    around: Surroundings
    child: Child | None = None

    @property
    def address(self) -> str:
        return self.around.address("declarations.grpc")

    async def restart(self, release: int) -> None:
        """Stop it, and start it as a release; returns when it is ready."""
        await self.stop()
        environment = services.environment("declarations", self.around)
        environment |= {
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TRADE_INSTANCE": self.instance,
            "TRADE_RELEASE": str(release),
        }
        log = self.around.layout.logs / f"{self.instance}.log"
        command = [sys.executable, "-m", "chaos.releases.newer_declarations"]
        self.child = Child(self.instance, command, log=log, environment=environment)
        self.child.start()
        url = f"http://{self.around.address('declarations.admin')}/readyz"
        await self.child.until(lambda: says_ready(url), seconds=60)

    async def stop(self) -> None:
        if self.child is not None:
            await self.child.stop()


@asynccontextmanager
async def _replicas(platform: Platform) -> AsyncIterator[Sequence[Replica]]:
    """Two replicas of the first release: one in the place of the platform's own, one beside it."""
    block = PortBlock()
    beside = block.choose(["declarations.grpc", "declarations.admin"], {})
    ports, servers = json.loads(platform.layout.ports.read_text()), platform.infrastructure
    replicas = [
        Replica(
            f"declarations-{number}", Surroundings(platform.layout, each, servers.bootstrap_servers, servers.mongo_url)
        )
        for number, each in enumerate((ports, ports | beside))
    ]
    await platform.parts["declarations"].stop()
    try:
        await asyncio.gather(*(each.restart(1) for each in replicas))
        yield replicas
    finally:
        await asyncio.gather(*(each.stop() for each in replicas))
        block.release()


@asynccontextmanager
async def _readers(platform: Platform, replicas: Sequence[Replica]) -> AsyncIterator[Client]:
    """Somebody who asks for declarations all the time, of either replica."""
    signer = TokenSigner(platform.layout.keys, "tracking")
    async with contextlib.AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(connect(each.address, signer, "declarations", deadline_seconds=15.0))
            for each in replicas
        ]
        stubs: list[Any] = [DeclarationServiceStub(each) for each in channels]
        client = Client([stub.GetDeclaration for stub in stubs])
        ids: list[str] = []
        numbers = itertools.count(1)

        async def ask() -> None:
            if not ids:
                ids.extend(await eventually(lambda: _ids(platform), within_seconds=60))
            wanted = ids[next(numbers) % len(ids)]
            answer = await client.ask(pb.GetDeclarationRequest(declaration_id=wanted))
            assert answer.declaration.id == wanted
            await asyncio.sleep(PAUSE_SECONDS)

        async with meanwhile(ask):
            yield client


async def _ids(platform: Platform) -> list[str]:
    """Those of all declarations; empty: there are none yet."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(platform.infrastructure.mongo_url)
    async with client:
        return [each["_id"] async for each in client["declarations"]["declarations"].find({}, {"_id": 1})]


async def _stored(platform: Platform, wave: Traffic) -> Stored:
    """The declarations of a wave, by id."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(platform.infrastructure.mongo_url)
    async with client:
        found = client["declarations"]["declarations"].find({"state.declaration.ucr": {"$in": wave.ucrs}})
        stored = {each["_id"]: each async for each in found}
    assert len(stored) == wave.shipments, f"{len(stored)} of {wave.shipments} are stored"
    return stored


def _written(before: Stored, after: Stored) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each declaration before and after it was written.

    Raises:
        AssertionError: one was not.
    """
    for id_, then in before.items():
        assert after[id_]["version"] > then["version"], f"{id_} was not written meanwhile"
        yield then, after[id_]


CELLS = [Cell("upgrade", "declarations roll forth and back", declarations_roll, own_servers=True, limit_seconds=600)]
