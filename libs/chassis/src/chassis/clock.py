"""Time behind a port: nothing below a process's edge asks the machine what time it is."""

import asyncio
import heapq
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The moment, in UTC, with whole milliseconds: what the database keeps of a time."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow; for measuring, never for storing."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.fromtimestamp(int(time.time() * 1000) / 1000, UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


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
