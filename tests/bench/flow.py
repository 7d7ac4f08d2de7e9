"""Runs shipments through the platform and measures them in windows of time.

Throughput is the number of shipments closed within a window. The time from the first to the last of a number of
shipments would include the start, when none can be closed yet, and the end, when fewer and fewer are in flight.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count as count_from

import psutil

from bench.ground import cpu_seconds, memory_mb
from bench.scrape import Scrape, scrape
from chassis.tasks import cancel
from chassis.testing import eventually
from launcher.platform import Platform
from launcher.services import SERVICES
from trade_cli.declaration_feed import Feed, feed
from trade_cli.demo_facts import facts
from trade_cli.doors import Doors, doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.load import Load, Shipment, Times, shipments
from trade_cli.platform import Platform as Told
from trade_cli.platform import load_platform

CONNECTIONS = 50
"""Connections of the load to the gateway, for any number of shipments in flight."""
ENOUGH = 20_000
"""More shipments than any window can see."""
LOOK_SECONDS = 0.25
_SEEDS = count_from(101)
"""Every load of a run has its own seed, so that several loads on one platform play different shipments."""
MEMORY_SECONDS = 1.0


@dataclass
class Window:
    """The measurements of a window."""

    seconds: float = 0.0
    closed: int = 0
    """Shipments closed in the window."""
    closed_before: int = 0
    """Shipments closed before the window since the flow began; at least as many as in flight after a full warm-up."""
    published: float = 0.0
    """Events published by the services."""
    commands: Counter[str] = field(default_factory=Counter)
    """Database commands: `<service> <command> <collection>` → number."""
    cpu: Mapping[str, float] = field(default_factory=dict)
    """CPU seconds by service, and of the database and the broker."""
    memory: Mapping[str, float] = field(default_factory=dict)
    """Maximum memory of each service in MB."""
    accepted_after: Sequence[float] = ()
    """Seconds from lodging to acceptance, of each shipment accepted in the window."""
    closed_after: Sequence[float] = ()
    problems: Sequence[str] = ()


class Flow:
    """The firms and partners of one platform, enrolled, and their clients."""

    def __init__(self, running: Platform, told: Told, gateway: Doors, said: Feed, keys: Mapping[str, str]) -> None:
        self.running = running
        self.told = told
        self._gateway = gateway
        self._said = said
        self._keys = keys

    def load(self) -> Load:
        return Load(self._gateway, self._said, self._keys, facts().declarant)

    async def play(self, count: int, side_by_side: int = 1) -> Sequence[Times]:
        """Play some shipments to their end.

        Raises:
            AssertionError: one was not closed.
        """
        times = await self.load().run(self._next(count), side_by_side=side_by_side)
        assert all(each.closed for each in times), [each.problem for each in times if each.problem][:5]
        return times

    def _next(self, count: int) -> Sequence[Shipment]:
        return shipments(facts(), count, next(_SEEDS))

    async def window(self, in_flight: int, seconds: float, *, warm_seconds: float) -> Window:
        """Keep `in_flight` shipments in flight; measure after as many were closed, or after the warm-up at the latest.

        Shipments in flight at the end are abandoned.
        """
        load = self.load()
        playing = asyncio.create_task(load.run(self._next(ENOUGH), side_by_side=in_flight))
        try:
            await _warm(load, playing, in_flight, warm_seconds)
            return await self._seen(load, playing, seconds)
        finally:
            await cancel([playing])

    async def at_rate(self, rate: float, seconds: float, *, grace_seconds: float) -> Sequence[float]:
        """Start shipments at a rate in an open loop; returns the seconds from each one's scheduled lodging to its
        acceptance. For one not accepted within the grace period: the seconds it had waited by then.
        """
        load = self.load()
        count = max(2, round(rate * seconds))
        playing = asyncio.create_task(load.run(self._next(count), side_by_side=count, rate=rate))
        try:
            await _until(lambda: len(load.times) >= count or playing.done(), seconds * 2)
            await _until(lambda: all("accepted" in each.at for each in load.times) or playing.done(), grace_seconds)
        finally:
            await cancel([playing])
        now = time.monotonic()
        return [each.at.get("accepted", now) - each.at.get("begun", now) for each in load.times]

    async def _seen(self, load: Load, playing: "asyncio.Task[object]", seconds: float) -> Window:
        before, cpu = await scrape(self.told), self._cpu()
        begun, closed_before = time.monotonic(), _closed(load.times)
        memory: dict[str, float] = {}
        while (left := begun + seconds - time.monotonic()) > 0 and not playing.done():
            for name in SERVICES:
                memory[name] = max(memory.get(name, 0.0), memory_mb(self.running.parts[name].pid))
            await asyncio.sleep(min(left, MEMORY_SECONDS))
        ended = time.monotonic()
        after, spent = await scrape(self.told), self._cpu()
        within = [each for each in load.times if begun < each.at.get("closed", 0.0) <= ended]
        return Window(
            seconds=ended - begun,
            closed=len(within),
            closed_before=closed_before,
            published=after.published - before.published,
            commands=after.commands - before.commands,
            cpu={name: spent[name] - cpu[name] for name in spent},
            memory=memory,
            accepted_after=_after(load.times, "accepted", begun, ended),
            closed_after=_after(load.times, "closed", begun, ended),
            problems=[each.problem for each in load.times if each.problem],
        )

    def _cpu(self) -> dict[str, float]:
        servers = self.running.infrastructure
        pids = {name: self.running.parts[name].pid for name in SERVICES}
        pids |= {"database": servers.database.pid, "broker": servers.kafka.pid}
        own = psutil.Process().cpu_times()
        return {name: cpu_seconds(pid) for name, pid in pids.items()} | {"load": own.user + own.system}

    async def scrape(self) -> Scrape:
        return await scrape(self.told)


@asynccontextmanager
async def flow_on(running: Platform) -> AsyncIterator[Flow]:
    """A flow on a running platform, with all firms and partners enrolled."""
    told, known = load_platform(running.layout.description), facts()
    await register(told, known.enterprises)
    firms = [each for each in known.enterprises if each.id == known.declarant]
    keys = await issue_keys(told, firms, known.partners, label="bench")
    async with doors(told, connections=CONNECTIONS) as gateway, feed(told.kafka) as said:
        yield Flow(running, told, gateway, said, keys)


def _closed(times: Sequence[Times]) -> int:
    return sum(each.closed for each in times)


def _after(times: Sequence[Times], what: str, begun: float, ended: float) -> Sequence[float]:
    return [each.at[what] - each.at["lodged"] for each in times if begun < each.at.get(what, 0.0) <= ended]


async def _warm(load: Load, playing: "asyncio.Task[object]", in_flight: int, seconds: float) -> None:
    await _until(lambda: _closed(load.times) >= in_flight or playing.done(), seconds)


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until the condition holds, at most `seconds`."""

    async def holds() -> bool:
        return condition()

    with contextlib.suppress(AssertionError):
        await eventually(holds, within_seconds=seconds, every_seconds=LOOK_SECONDS)
