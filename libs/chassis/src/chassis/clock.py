"""The clock port: only the edge of a process reads the machine's clock."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time in UTC, cut to milliseconds, the precision that the database stores."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; for measuring, never for storing."""
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
