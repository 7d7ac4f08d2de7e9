"""The rounds of a compare-and-set that others race for: each a little later than the one before, by chance.

Whoever loses a round lost it to somebody who got on, so the race ends; without a pause between the rounds, though, of
N at once the last one wins in round N, and N is not known here.
"""

import asyncio
from collections.abc import AsyncIterator

from chassis.backoff import Backoff

ROUNDS = 100
_PAUSE_SECONDS = (0.004, 0.1)


async def rounds() -> AsyncIterator[int]:
    """The rounds there are, with a pause before each but the first."""
    backoff = Backoff(*_PAUSE_SECONDS, spread=1.0)
    for each in range(ROUNDS):
        if each:
            await asyncio.sleep(backoff.pause())
        yield each
