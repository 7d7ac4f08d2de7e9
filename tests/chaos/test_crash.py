"""Fifty shipments while every service is killed, ten while broker and database are: nothing lost, nothing twice."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from chaos import checker
from chaos.traffic import Traffic
from chaos.world import SERVICES, World, read_world

from chassis.testing import eventually
from contracts.topics import EVENT_TOPICS
from launcher.platform import Platform
from trade_cli.demo_facts import facts
from trade_cli.doors import doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.platform import load_platform

SHIPMENTS = 50
SEED = 20261124
CLOSED_WITHIN_SECONDS = 240
TOPICS = [topic.name for topic in EVENT_TOPICS]


@pytest.fixture(scope="module")
async def fragile(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform of this module's own, since its parts are killed."""
    async with Platform(tmp_path_factory.mktemp("fragile")) as running:
        yield running


async def world_of(platform: Platform) -> World:
    told = platform.describe()
    return await read_world(told["kafka"], told["mongo_url"], TOPICS)


async def at_rest(platform: Platform) -> World:
    """The world once everything that was started has come to its end."""
    seen: list[World] = []

    async def rests() -> bool:
        seen.append(await world_of(platform))
        return not checker.check_rest(seen[-1], datetime.now(UTC))

    await eventually(rests, within_seconds=90, every_seconds=1.0)
    return seen[-1]


async def traffic_on(platform: Platform, *, shipments: int, seed: int, breaking: "Breaking") -> list[checker.Sent]:
    """Enrol everybody, let the traffic run while parts are killed, and return what was sent."""
    here, told = load_platform(platform.layout.description), facts()
    await register(here, told.enterprises)
    keys = await issue_keys(here, told.enterprises, told.partners, label=f"crash test {seed}")
    async with doors(here, patience_seconds=90.0) as open_doors:
        traffic = Traffic(open_doors, keys, told, here.mongo_url, shipments, seed)
        async with asyncio.TaskGroup() as group:
            group.create_task(breaking.run())
            group.create_task(traffic.run(CLOSED_WITHIN_SECONDS))
    return traffic.sent


class Breaking:
    """Kills services at seeded random moments; between a kill and the restart it looks at the offsets."""

    def __init__(self, platform: Platform, seed: int) -> None:
        self._platform = platform
        self._chance = random.Random(seed)
        self.faults: list[str] = []
        self.killed: list[str] = []

    async def run(self) -> None:
        for service in self._chance.sample(SERVICES, len(SERVICES)):
            await asyncio.sleep(self._chance.uniform(0.5, 3.0))  # the seeded moment
            await self._platform.kill(service)
            self.killed.append(service)
            if service in checker.RESOLVED:
                self.faults += checker.check_offsets(await world_of(self._platform), [service])
            await self._platform.restart(service)


class BreakingServers(Breaking):
    """Kills the broker and the database with SIGKILL, once each, and starts them again."""

    async def run(self) -> None:
        await asyncio.sleep(self._chance.uniform(2.0, 4.0))
        await self._platform.kill_database()
        self.killed.append("database")
        await asyncio.sleep(1.0)  # services notice
        await self._platform.start_database()
        await asyncio.sleep(self._chance.uniform(1.0, 3.0))
        await self._platform.kill_kafka()
        self.killed.append("kafka")
        await asyncio.sleep(1.0)
        await self._platform.start_kafka()


def closed(world: World) -> int:
    return sum(each.state["status"] == "closed" for each in world.of("declarations", "declarations"))


async def test_fifty_shipments_survive_the_killing_of_every_service(fragile: Platform) -> None:
    breaking = Breaking(fragile, SEED)
    sent = await traffic_on(fragile, shipments=SHIPMENTS, seed=SEED, breaking=breaking)
    world = await at_rest(fragile)
    assert sorted(breaking.killed) == sorted(SERVICES)
    assert breaking.faults == []
    assert checker.check_all(world, sent, datetime.now(UTC)) == []
    assert closed(world) == SHIPMENTS


async def test_killing_the_database_and_the_broker_loses_nothing(fragile: Platform) -> None:
    before = closed(await world_of(fragile))
    breaking = BreakingServers(fragile, SEED + 1)
    sent = await traffic_on(fragile, shipments=10, seed=SEED + 1, breaking=breaking)
    world = await at_rest(fragile)
    assert breaking.killed == ["database", "kafka"]
    assert checker.check_all(world, sent, datetime.now(UTC)) == []
    assert closed(world) == before + 10


def test_the_logs_hold_no_stack_trace_of_ours(fragile: Platform) -> None:
    """What is killed and away is an expected failure: a stack trace in a log is a bug that survived."""
    logs: Path = fragile.layout.logs
    stacks = [
        f"{log.name}: {line[:400]}"
        for log in logs.glob("*.log")
        for line in log.read_text(errors="replace").splitlines()
        if '"level":"error"' in line.replace(" ", "") and "Traceback" in line
    ]
    assert stacks == []
