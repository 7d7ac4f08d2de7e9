"""Runs the floor of a whole shipment for one window: a separate process on the same servers, with its own topics."""

import asyncio
import dataclasses
import itertools
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.flow import Flow
from bench.ground import Ground
from bench.plan import planned, told_of
from bench.recording import Recording
from contracts.topics import EVENT_TOPICS
from launcher.processes import Child

LAST_WORDS = 2000
"""Characters of a failed floor's log to report: the last line of an exception group is not enough."""
PATIENCE_SECONDS = 60.0
"""Time limit for the start and for the end of a floor."""
_TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class FloorWindow:
    """The measurements of a window."""

    seconds: float
    closed: int
    closed_before: int
    cpu: float
    """CPU seconds of its process."""


@dataclass
class FloorRuns:
    """Windows of the floor, one after the other."""

    ground: Ground
    flow: Flow
    recording: Recording
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def counts(self) -> str:
        """The work of one shipment of the floor, in words."""
        told = told_of(planned(self.recording), self.recording)
        return ", ".join(f"{count:g} {what}" for what, count in told.items())

    async def window(self, in_flight: int, seconds: float, *, warm_seconds: float) -> FloorWindow:
        """Start a floor, run it for one window, and stop it.

        Raises:
            AssertionError: it failed.
            TimeoutError: it did not stop.
        """
        name, smtp = f"floor{next(self._numbers)}", self.flow.told.smtp
        assert smtp is not None
        servers, folder = self.ground.servers, self.ground.folder
        await self.ground.infrastructure.create_topics(
            [dataclasses.replace(topic, name=f"{name}.{topic.name}") for topic in EVENT_TOPICS]
        )
        recorded, result = folder / "recording.bson", folder / f"{name}.json"
        self.recording.write(recorded)
        options = {
            "kafka": servers.kafka,
            "mongo": servers.mongo,
            "name": name,
            "smtp-host": smtp.host,
            "smtp-port": smtp.port,
            "recording": recorded,
            "in-flight": in_flight,
            "warm": warm_seconds,
            "seconds": seconds,
            "to": result,
        }
        arguments = [f"--{option}={value}" for option, value in options.items()]
        environment = {**os.environ, "PYTHONPATH": str(_TESTS), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "bench.shipment_floor", *arguments]
        child = Child(f"bench/{name}", command, log=folder / f"{name}.log", environment=environment)
        child.start()
        try:
            async with asyncio.timeout(warm_seconds + seconds + PATIENCE_SECONDS):
                status = await child.finished()
        finally:
            await child.stop()
        assert status == 0, child.log.read_text(errors="replace")[-LAST_WORDS:]
        return FloorWindow(**json.loads(result.read_text()))
