"""Wakes a loop: at once for work just saved, on time for work due soon, otherwise at long intervals.

This process sets the alarm for what it saves. A periodic scan finds work that other processes left behind, so nothing
waits longer than one interval. Polling the database more often would slow down every service.
"""

import asyncio
import heapq
from datetime import datetime, timedelta

from chassis.clock import Clock

SELDOM_SECONDS = 15.0


class Alarm:
    """The alarm of one loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moments: list[datetime] = []
        """Moments before the next periodic scan, which finds whatever is due later."""
        self._woken = asyncio.Event()

    def set(self, moment: datetime) -> None:
        """Ring at a moment; at once if it has passed."""
        if moment - self._clock.now() < timedelta(seconds=SELDOM_SECONDS):
            heapq.heappush(self._moments, moment)
            self._woken.set()

    async def rings(self) -> None:
        """Wait for the next moment, at most `SELDOM_SECONDS`. One ring covers all moments that have passed."""
        until = self._clock.now() + timedelta(seconds=SELDOM_SECONDS)
        while True:
            self._woken.clear()
            left = (min([until, *self._moments[:1]]) - self._clock.now()).total_seconds()
            if left <= 0:
                break
            await self._sleep_or_wake(left)
        while self._moments and self._moments[0] <= self._clock.now():
            heapq.heappop(self._moments)

    async def _sleep_or_wake(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        waking = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()
