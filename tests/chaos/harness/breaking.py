"""What tests do to a platform: send traffic, kill its parts, wait until it is at rest, read its data."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from chaos.harness.traffic import Traffic
from chaos.judging.invariants import GROUPS, offsets, rest
from chaos.judging.reading import read_spans, read_world
from chaos.judging.world import SERVICES, World

from chassis.testing import eventually
from contracts.topics import EVENT_TOPICS, inbox
from launcher.platform import Platform
from launcher.services import PARTNERS
from trade_cli.demo_facts import facts
from trade_cli.doors import doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.platform import load_platform

TOPICS = [topic.name for topic in EVENT_TOPICS]
INBOXES = [inbox(partner).name for partner in PARTNERS]
PATIENCE_SECONDS = 90.0


async def world_of(platform: Platform) -> World:
    """All durable data except spans."""
    told = platform.describe()
    return await read_world(told["kafka"], told["mongo_url"], TOPICS, inboxes=INBOXES, mails=platform.layout.mail)


async def with_spans(platform: Platform, world: World) -> World:
    """The same world with the spans that tracking has received."""
    return replace(world, spans=await read_spans(platform.describe()["mongo_url"]))


async def at_rest(platform: Platform) -> World:
    """The world once everything that was started is finished.

    Raises:
        AssertionError: something still waits; names it.
    """
    seen: list[World] = []

    async def rests() -> bool:
        seen.append(await world_of(platform))
        waiting = rest(seen[-1]).faults
        assert not waiting, waiting[:5]
        assert not seen[-1].grew, "events were published while everything was read"
        return True

    await eventually(rests, within_seconds=PATIENCE_SECONDS, every_seconds=1.0)
    return await with_spans(platform, seen[-1])


@asynccontextmanager
async def traffic_on(platform: Platform, *, shipments: int, seed: int) -> AsyncIterator[Traffic]:
    """Traffic with everybody enrolled, ready to run."""
    here, told = load_platform(platform.layout.description), facts()
    await register(here, told.enterprises)
    keys = await issue_keys(here, told.enterprises, told.partners, label=f"traffic {seed}")
    async with doors(here, patience_seconds=PATIENCE_SECONDS) as open_doors:
        yield Traffic(open_doors, keys, told, here.mongo_url, shipments, seed)


def closed(world: World) -> int:
    """How many declarations are finished."""
    return sum(each.state["status"] == "closed" for each in world.of("declarations", "declarations"))


class KillServices:
    """Kills each service once at seeded random moments; judges the offsets between kill and restart."""

    def __init__(self, platform: Platform, seed: int) -> None:
        self._platform = platform
        self._chance = random.Random(seed)
        self.faults: list[str] = []
        self.looked_at: dict[str, int] = {}
        """Service → how many deliveries below its committed offsets were judged right after its death."""
        self.killed: list[str] = []

    async def run(self) -> None:
        for service in self._chance.sample(SERVICES, len(SERVICES)):
            await asyncio.sleep(self._chance.uniform(0.5, 3.0))  # the seeded moment
            await self._platform.kill(service)
            self.killed.append(service)
            if service in GROUPS:
                looked = offsets(await world_of(self._platform), [service])
                self.faults += looked.faults
                self.looked_at[service] = looked.looked_at
            await self._platform.restart(service)


class KillServers:
    """Kills the database and the broker with SIGKILL, once each, and restarts them."""

    def __init__(self, platform: Platform, seed: int) -> None:
        self._platform = platform
        self._chance = random.Random(seed)
        self.killed: list[str] = []

    async def run(self) -> None:
        await asyncio.sleep(self._chance.uniform(2.0, 4.0))  # the seeded moment
        await self._platform.kill_database()
        self.killed.append("database")
        await asyncio.sleep(1.0)  # long enough for every service to meet its absence
        await self._platform.start_database()
        await asyncio.sleep(self._chance.uniform(1.0, 3.0))
        await self._platform.kill_kafka()
        self.killed.append("kafka")
        await asyncio.sleep(1.0)
        await self._platform.start_kafka()
