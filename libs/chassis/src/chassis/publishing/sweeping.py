"""Finds unsent events that no process is sending: of a process that died, or of a save whose answer was lost."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from chassis.aggregates.document import OutboxEntry
from chassis.aggregates.publishing import Source
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.publishing.trimming import TRIM_SECONDS

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 15.0
LEFT_BEHIND_SECONDS = 3 * 2 * TRIM_SECONDS
"""Entries older than this count as left behind: acknowledged ones would have been trimmed."""
SWEEP_LIMIT = 500

Offer = Callable[[Source, str, str, Sequence[OutboxEntry]], None]


class Sweeper:
    """Searches sources for unsent events, at start and periodically."""

    def __init__(self, offer: Offer, clock: Clock) -> None:
        self.sources: list[Source] = []
        self._offer = offer
        self._clock = clock

    async def run(self) -> None:
        """Sweep, for ever."""
        # At start, everything unsent counts as left behind: events that a killed predecessor saved are sent at once.
        age = timedelta(0)
        while True:
            for source in self.sources:
                try:
                    found = await source.unsent(age, SWEEP_LIMIT)
                    if found:
                        passage("sweep.found")
                    for unsent in found:
                        self._offer(source, unsent.id, unsent.key, unsent.entries)
                except Exception as error:
                    log.warning("sweep_failed", topic=source.topic, error=repr(error))
            await self._clock.sleep(SWEEP_SECONDS)
            age = timedelta(seconds=LEFT_BEHIND_SECONDS)
