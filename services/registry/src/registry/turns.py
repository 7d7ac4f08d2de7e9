"""Runs the commands on one enterprise one at a time within this process.

Commands on one enterprise change the same documents by compare-and-set. Serialising them here leaves only other
replicas to contend with.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """One lock per enterprise, dropped when nobody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._waiting = Counter[str]()

    @asynccontextmanager
    async def of(self, enterprise_id: str) -> AsyncIterator[None]:
        """Hold the enterprise's lock; callers get it in order of arrival."""
        lock = self._locks.setdefault(enterprise_id, asyncio.Lock())
        self._waiting[enterprise_id] += 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[enterprise_id] -= 1
            if not self._waiting[enterprise_id]:
                del self._waiting[enterprise_id], self._locks[enterprise_id]
