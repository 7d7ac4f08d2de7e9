"""One soak of one platform: waves of shipments, faults beside them, a look every few seconds, judgement at the end."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from chaos.harness.breaking import with_spans, world_of
from chaos.harness.faults import Faults
from chaos.harness.processes import memory_bytes
from chaos.harness.traffic import Traffic
from chaos.judging.invariants import Sent, rest
from chaos.judging.platform import judged
from chaos.judging.world import World
from chaos.soak.report import Look, Soak
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from chassis.testing import eventually
from launcher.failures import LauncherError
from launcher.platform import Platform
from trade_cli.demo_facts import facts
from trade_cli.doors import Doors, doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.platform import CliError, load_platform

WAVE = 10
"""Shipments that set out together."""
WAVE_SECONDS = 1.0
"""At least so long after one wave the next sets out, where there is room for it."""
WAVES_AT_ONCE = 8
"""Some are lodged only, some nearly closed: of these eighty, fifty and more are under way."""
LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 300.0
"""For a submission and for a wave, longer than any fault."""
REST_SECONDS = 180.0


class Waves:
    """Shipments, a few at a time, until told to stop."""

    def __init__(self, open_doors: Doors, keys: dict[str, str], mongo_url: str, seed: int) -> None:
        self._make = lambda number: Traffic(open_doors, keys, facts(), mongo_url, WAVE, seed + number)
        self._under_way = asyncio.Semaphore(WAVES_AT_ONCE)
        self.waves: list[Traffic] = []
        self.late: list[str] = []

    @property
    def lodged(self) -> int:
        return sum(each.key.startswith("declaration ") for wave in self.waves for each in _once(wave))

    async def run(self, stopping: asyncio.Event) -> None:
        """Send waves; returns when the last one is through."""
        async with asyncio.TaskGroup() as group:
            while not stopping.is_set():
                await self._under_way.acquire()
                self.waves.append(wave := self._make(len(self.waves)))
                group.create_task(self._see_through(wave))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), WAVE_SECONDS)

    async def _see_through(self, wave: Traffic) -> None:
        try:
            await wave.run(PATIENCE_SECONDS)
        except TimeoutError:
            self.late.append(f"the shipments of seed {wave.seed} were not all closed within {PATIENCE_SECONDS:g} s")
        finally:
            self._under_way.release()


def _once(wave: Traffic) -> Sequence[Sent]:
    return list({each.key: each for each in wave.sent}.values())


class Run:
    """One soak of one platform."""

    def __init__(self, platform: Platform, soak: Soak) -> None:
        self._platform = platform
        self._soak = soak
        self._happened: list[str] = []
        self._started = time.monotonic()
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Traffic and faults until the time is over, then rest and judgement."""
        soak, platform = self._soak, self._platform
        soak.database = platform.infrastructure.database.kind
        told, here = facts(), load_platform(platform.layout.description)
        await register(here, told.enterprises)
        keys = dict(await issue_keys(here, told.enterprises, told.partners, label=f"soak {soak.seed}"))
        faults = Faults(platform, soak.seed, self._happened.append)
        async with doors(here, patience_seconds=PATIENCE_SECONDS) as open_doors:
            waves = Waves(open_doors, keys, here.mongo_url, soak.seed)
            asyncio.get_running_loop().call_later(60 * soak.minutes, self.stopping.set)
            looking = asyncio.create_task(self._look(waves))
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(faults.run(self.stopping))
                    group.create_task(waves.run(self.stopping))
                await self._judge(waves, faults)
            except* (LauncherError, CliError, AssertionError) as broken:
                soak.broke = "; ".join(repr(each)[:500] for each in broken.exceptions)
            finally:
                looking.cancel()
                soak.faults = dict(faults.done)

    async def _judge(self, waves: Waves, faults: Faults) -> None:
        soak = self._soak
        world = await self._at_rest()
        sent = [each for wave in waves.waves for each in wave.sent]
        ucrs = {ucr for wave in waves.waves for ucr in wave.ucrs}
        soak.submissions, soak.lodged = len(sent), len(ucrs)
        soak.closed = sum(
            each.state["status"] == "closed" and each.state["declaration"]["ucr"] in ucrs
            for each in world.of("declarations", "declarations")
        )
        late = [f"10: {each}" for each in waves.late]
        soak.verdicts = judged(world, sent, more=[*faults.offset_faults, *late])
        soak.kills_looked_at = faults.offsets_looked_at
        soak.stacks = [
            f"{log.name}: {line[:600]}"
            for log in sorted(self._platform.layout.logs.glob("*.log*"))
            for line in log.read_text(errors="replace").splitlines()
            if "Traceback" in line
        ]

    async def _at_rest(self) -> World:
        """The world once nothing waits any more, or as it stands when patience ends: the checker says what waits."""
        seen: list[World] = []

        async def rests() -> bool:
            seen.append(await world_of(self._platform))
            return not seen[-1].grew and not rest(seen[-1]).faults

        with contextlib.suppress(AssertionError):
            await eventually(rests, within_seconds=REST_SECONDS, every_seconds=2.0)
        return await with_spans(self._platform, seen[-1])

    async def _look(self, waves: Waves) -> None:
        """A progress line every few seconds."""
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
            self._platform.describe()["mongo_url"], serverSelectionTimeoutMS=1000, timeoutMS=2000
        )
        closed = 0
        async with client:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                with contextlib.suppress(PyMongoError):  # the database is among what is killed
                    closed = await client["declarations"]["declarations"].count_documents({"state.status": "closed"})
                happened, self._happened[:] = list(self._happened), []
                second = round(time.monotonic() - self._started)
                self._soak.looks.append(Look(second, waves.lodged, closed, self._memory(), happened))
                print(self._soak.looks[-1].line(), flush=True)

    def _memory(self) -> dict[str, int]:
        servers = self._platform.infrastructure
        pids = {name: child.pid for name, child in self._platform.parts.items()}
        pids |= {"database": servers.database.pid, "broker": servers.kafka.pid}
        held: dict[str, int] = {}
        for part, pid in pids.items():
            with contextlib.suppress(psutil.Error):
                if pid is not None:
                    held[part] = memory_bytes(pid)
        return held


async def soak(minutes: float, seed: int, folder: Path) -> Soak:
    """Start a platform in `folder`, break it for so long, judge it, stop it."""
    told = Soak(seed, minutes)
    async with Platform(folder, report=lambda line: print(line, flush=True)) as platform:
        run = Run(platform, told)
        loop = asyncio.get_running_loop()

        def stop() -> None:
            print("stopping: what was started is seen through and judged", flush=True)
            run.stopping.set()
            loop.remove_signal_handler(signal.SIGINT)

        loop.add_signal_handler(signal.SIGINT, stop)
        try:
            await run.run()
        finally:
            told.write(folder / "report")
    return told
