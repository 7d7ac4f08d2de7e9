"""When a loop looks next: at once where something was just saved for it, on time for what is due soon, else seldom.

What this process saves is told to the alarm. What another one left behind is found by the seldom look, so that nothing
waits for longer than that; a loop that asks the database all the time costs every service its share.
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
        """Before the next seldom look; what is due later is found by a look of then."""
        self._woken = asyncio.Event()

    def set(self, moment: datetime) -> None:
        """Ring at a moment, at once where it has passed."""
        if moment - self._clock.now() < timedelta(seconds=SELDOM_SECONDS):
            heapq.heappush(self._moments, moment)
            self._woken.set()

    async def rings(self) -> None:
        """Wait for the next moment, for `SELDOM_SECONDS` at most. One ring is for all moments that have passed."""
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
