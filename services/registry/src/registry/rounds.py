"""Retry rounds of a contended compare-and-set, with a random pause between them.

A round is lost only to a writer that succeeded, so contention ends. Without pauses the last of N concurrent writers
would need N rounds, and N is unknown.
"""

import asyncio
from collections.abc import AsyncIterator

from chassis.backoff import Backoff

ROUNDS = 100
_PAUSE_SECONDS = (0.004, 0.1)


async def rounds() -> AsyncIterator[int]:
    """Round numbers from 0, with a pause before each but the first."""
    backoff = Backoff(*_PAUSE_SECONDS, spread=1.0)
    for each in range(ROUNDS):
        if each:
            await asyncio.sleep(backoff.pause())
        yield each
