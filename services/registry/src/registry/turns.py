"""One command at a time on one enterprise within this process.

Commands on one enterprise change the same documents by compare-and-set, in which of many at once a single one wins a
round. Taking turns, they change them one after the other; only those of other replicas are still raced with.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Turns by enterprise; nothing is kept of one that nobody waits for."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._waiting = Counter[str]()

    @asynccontextmanager
    async def of(self, enterprise_id: str) -> AsyncIterator[None]:
        """This caller's turn, in the order of asking."""
        lock = self._locks.setdefault(enterprise_id, asyncio.Lock())
        self._waiting[enterprise_id] += 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[enterprise_id] -= 1
            if not self._waiting[enterprise_id]:
                del self._waiting[enterprise_id], self._locks[enterprise_id]
