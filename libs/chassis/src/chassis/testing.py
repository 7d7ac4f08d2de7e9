"""Test doubles for infrastructure, for tests of services; each implements the port of the real one."""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar

from chassis.aggregates import Aggregates, AggregateType
from chassis.aggregates.document import OutboxEntry
from chassis.aggregates.memory import MemoryDocuments
from chassis.aggregates.publishing import Source
from chassis.aggregates.store import Documents
from chassis.clock import Clock
from chassis.parking.memory import MemoryParking
from contracts.topics import Topic

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")
T = TypeVar("T")

__all__ = ["ManualClock", "MemoryDocuments", "MemoryParking", "RecordingOutbox", "eventually", "in_memory"]


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)) -> None:
        self._start = self._now = _to_milliseconds(start)
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved far enough; zero gives way once."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waking = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._order), waking))
        await waking

    async def advance(self, **by: float) -> None:
        """Move the clock by a `timedelta(**by)`, waking sleepers in the order of their times."""
        target = self._now + timedelta(**by)
        while self._sleepers and self._sleepers[0][0] <= target:
            moment, _, waking = heapq.heappop(self._sleepers)
            self._now = max(self._now, moment)
            if not waking.done():
                waking.set_result(None)
            await asyncio.sleep(0)
        self._now = target
        await asyncio.sleep(0)


def _to_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass
class RecordingOutbox:
    """Records what would be published, once per event, in order; acknowledges nothing."""

    published: list[OutboxEntry] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def offer(self, source: Source, id_: str, key: str, entries: Sequence[OutboxEntry]) -> None:  # noqa: ARG002
        for entry in entries:
            if entry["id"] not in self._seen:
                self._seen.add(entry["id"])
                self.published.append(entry)

    def acknowledged(self, source: Source, id_: str) -> int:  # noqa: ARG002
        return 0

    def types(self) -> list[str]:
        """The types of what was published."""
        return [entry["type"] for entry in self.published]


def in_memory(
    type_: AggregateType[S, C, E],
    *,
    topic: Topic,
    clock: Clock | None = None,
    documents: Documents | None = None,
    outbox: RecordingOutbox | None = None,
) -> tuple[Aggregates[S, C, E], RecordingOutbox]:
    """Aggregates over a dictionary (or over `documents`), with a recording outbox."""
    outbox = outbox or RecordingOutbox()
    return (
        Aggregates(type_, documents or MemoryDocuments(), outbox, clock or ManualClock(), topic=topic.name),
        outbox,
    )


async def eventually(
    condition: Callable[[], Awaitable[T]], *, within_seconds: float = 20.0, every_seconds: float = 0.05
) -> T:
    """Wait until `condition` returns something true, and return that.

    Raises:
        AssertionError: it did not in time; the text shows the last result or error.
    """
    deadline = time.monotonic() + within_seconds
    last: T | AssertionError | None = None
    while time.monotonic() < deadline:
        try:
            answer = await condition()
        except AssertionError as error:
            last = error
        else:
            if answer:
                return answer
            last = answer
        await asyncio.sleep(every_seconds)
    raise AssertionError(f"not within {within_seconds} s; last seen: {last!r}")
