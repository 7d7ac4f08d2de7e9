"""The rounds of a compare-and-set that others race for: each a little later than the one before, by chance.

Whoever loses a round lost it to somebody who got on, so the race ends; without a pause between the rounds, though, of
N at once the last one wins in round N, and N is not known here.
"""

import asyncio
import random
from collections.abc import AsyncIterator

ROUNDS = 100
_STEP_SECONDS = 0.002
_LONGEST_SECONDS = 0.1


async def rounds() -> AsyncIterator[int]:
    """The rounds there are, with a pause before each but the first."""
    for each in range(ROUNDS):
        if each:
            longest = min(_LONGEST_SECONDS, _STEP_SECONDS * 2 ** min(each, 10))
            await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret
        yield each
