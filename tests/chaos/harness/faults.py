"""Seeded faults of every kind on a running platform: services, servers, and fail points inside services.

Two lanes run concurrently, one for services and one for servers, so that a service may die while its
database is down. Each fault ends by itself: whatever it broke runs again before the lane continues.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx2
from aiokafka.errors import KafkaError
from chaos.harness.breaking import world_of
from chaos.harness.processes import frozen, stands_still
from chaos.judging.invariants import GROUPS, offsets
from chaos.judging.world import SERVICES
from pymongo.errors import PyMongoError

from chassis.failpoints import POINTS
from chassis.failpoints import Fault as PointFault
from chassis.testing import eventually
from launcher.platform import Platform

Note = Callable[[str], None]
"""Receives a description of each action."""

PAUSE_SECONDS = (0.5, 4.0)
SERVERS_PAUSE_SECONDS = (10.0, 30.0)
SHORT_SECONDS = (0.3, 3.0)
LONG_SECONDS = (11.0, 16.0)
"""Longer than the consumer group's session timeout: a thawed process has lost its partitions."""
POINT_SECONDS = 10.0
"""How long an armed fail point may wait to be passed."""
MAX_PASSAGE = 8


class Faults:
    """The faults on one platform, and what was observed right after a kill."""

    def __init__(self, platform: Platform, seed: int, note: Note) -> None:
        self._platform = platform
        self._chance = random.Random(seed)
        self._servers_chance = random.Random(seed + 1)
        self._note = note
        self.done: Counter[str] = Counter()
        self.offsets_looked_at = 0
        self.offset_faults: list[str] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Inject faults until told to stop; return when everything runs again."""
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(self._services(stopping))
            lanes.create_task(self._servers(stopping))

    async def _services(self, stopping: asyncio.Event) -> None:
        kinds: list[Callable[[str], Awaitable[None]]] = [self._kill, self._freeze, self._restart, self._fail_point]
        while not await _set_within(stopping, self._chance.uniform(*PAUSE_SECONDS)):
            await self._chance.choice(kinds)(self._chance.choice([*SERVICES, "mail"]))

    async def _servers(self, stopping: asyncio.Event) -> None:
        while not await _set_within(stopping, self._servers_chance.uniform(*SERVERS_PAUSE_SECONDS)):
            server = self._servers_chance.choice(["database", "broker"])
            seconds = self._some_seconds(self._servers_chance)
            if self._servers_chance.random() < 0.5:
                await self._kill_server(server, seconds)
            else:
                await self._freeze_server(server, seconds)

    def _some_seconds(self, chance: random.Random) -> float:
        return chance.uniform(*(LONG_SECONDS if chance.random() < 0.25 else SHORT_SECONDS))

    async def _kill(self, service: str) -> None:
        await self._platform.kill(service)
        self._said("kill", service, f"killed {service}")
        if service in GROUPS:
            await self._look_at_offsets(service)
        await asyncio.sleep(self._chance.uniform(*SHORT_SECONDS))  # how long it stays away
        await self._platform.restart(service)

    async def _look_at_offsets(self, service: str) -> None:
        """Right after a kill: no committed offset is past an unresolved delivery."""
        try:
            self.offset_faults += offsets(await world_of(self._platform), [service]).faults
        except (PyMongoError, KafkaError, OSError):
            return  # a server is away at this moment too: nothing can be read
        self.offsets_looked_at += 1

    async def _freeze(self, service: str) -> None:
        pid, seconds = self._platform.parts[service].pid, self._some_seconds(self._chance)
        if pid is None:
            return
        with frozen(pid):
            self._said("freeze", service, f"froze {service} for {seconds:.1f} s")
            await asyncio.sleep(seconds)  # how long it stands still

    async def _restart(self, service: str) -> None:
        self._said("restart", service, f"restarted {service}")
        await self._platform.restart(service)

    async def _fail_point(self, service: str) -> None:
        """Arm one point of one service, and wait for the fault."""
        if service == "mail":
            return
        point, fault = self._chance.choice(list(POINTS)), self._chance.choice(list(PointFault))
        passage, still = self._chance.randint(1, MAX_PASSAGE), self._some_seconds(self._chance)
        try:
            await meet(self._platform, service, f"{point}:{fault}:{passage}", within_seconds=POINT_SECONDS)
        except AssertionError:
            self._said("fail point not reached", service)
            await _arm(self._platform.describe()["services"][service]["admin"])
            return
        self._said(f"fail point {fault}", service, f"{service} met {point}:{fault}")
        await bring_back(self._platform, service, still_seconds=still)

    async def _kill_server(self, server: str, seconds: float) -> None:
        platform = self._platform
        kill, start = (
            (platform.kill_database, platform.start_database)
            if server == "database"
            else (platform.kill_kafka, platform.start_kafka)
        )
        await kill()
        self._said("kill", server, f"killed the {server} for {seconds:.1f} s")
        await asyncio.sleep(seconds)  # how long it stays away
        await start()

    async def _freeze_server(self, server: str, seconds: float) -> None:
        servers = self._platform.infrastructure
        pid = servers.database.pid if server == "database" else servers.kafka.pid
        if pid is None:
            return
        with frozen(pid):
            self._said("freeze", server, f"froze the {server} for {seconds:.1f} s")
            await asyncio.sleep(seconds)  # how long it stands still

    def _said(self, kind: str, part: str, words: str = "") -> None:
        self.done[f"{kind}: {part}"] += 1
        if words:
            self._note(words)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event was set within so many seconds."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def meet(platform: Platform, service: str, order: str, *, within_seconds: float) -> None:
    """Arm one fail point of one service, and wait until it has died, frozen, or lost its answer there.

    Raises:
        AssertionError: the point was not passed.
    """
    child, url = platform.parts[service], platform.describe()["services"][service]["admin"]
    await _arm(url, order)

    async def met() -> bool:
        return not child.alive or stands_still(child.pid) or not await _armed(url)

    await eventually(met, within_seconds=within_seconds)


async def bring_back(platform: Platform, service: str, *, still_seconds: float) -> None:
    """Thaw a frozen service after a while; restart a dead one."""
    child = platform.parts[service]
    if child.pid is not None and stands_still(child.pid):
        await asyncio.sleep(still_seconds)  # how long it stands still
        os.kill(child.pid, signal.SIGCONT)
    if not child.alive:
        await platform.restart(service)


async def _arm(admin: str, *orders: str) -> None:
    """Arm fail points of a running service; none: disarm them all. A service that does not answer is left unchanged."""
    async with httpx2.AsyncClient(trust_env=False, timeout=5.0) as client:
        try:
            answer = await client.post(f"{admin}/failpoints", params={"arm": list(orders)})
        except httpx2.HTTPError:
            return
        answer.raise_for_status()


async def _armed(admin: str) -> bool:
    """Whether an armed fault has not occurred yet; a service that does not answer counts as armed."""
    async with httpx2.AsyncClient(trust_env=False, timeout=1.0) as client:
        try:
            return bool((await client.get(f"{admin}/failpoints")).json()["armed"])
        except httpx2.HTTPError:
            return True
