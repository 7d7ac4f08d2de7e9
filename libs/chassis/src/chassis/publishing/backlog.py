"""What was offered and is not acknowledged: how much it is, since when it waits, and whether it is too much.

Keeps: documents that Kafka refuses for good do not count, so that one of them stops nobody else's work.
"""

import asyncio

from chassis.clock import Clock
from chassis.publishing.hand_over import Sending
from chassis.publishing.trimming import DocumentKey
from chassis.telemetry import metrics


class Backlog:
    """Of one publisher."""

    def __init__(self, clock: Clock, *, max_unsent: int, max_unsent_seconds: float) -> None:
        self._clock = clock
        self._max_unsent = max_unsent
        self._max_unsent_seconds = max_unsent_seconds
        self._nothing = asyncio.Event()
        self._nothing.set()
        self.sendings: dict[DocumentKey, Sending] = {}
        """The documents that have something to send."""
        self.unsent = 0
        """Entries offered and not acknowledged."""

    def show(self) -> None:
        """Say in the metrics how it stands."""
        metrics.UNSENT.set_function(lambda: self.unsent)
        metrics.OLDEST_UNSENT_SECONDS.set_function(self._oldest_age)
        metrics.DOCUMENTS_STUCK.set_function(lambda: sum(each.stuck_at is not None for each in self.sendings.values()))

    def count(self, more: int) -> None:
        """So many entries were offered; fewer than none: acknowledged, or left aside."""
        self.unsent += more
        if self.unsent:
            self._nothing.clear()
        else:
            self._nothing.set()

    async def until_empty(self) -> None:
        """Wait until everything is acknowledged."""
        await self._nothing.wait()

    @property
    def oldest_seconds(self) -> float:
        """For how long the longest waiting entry has waited."""
        now = self._clock.monotonic()
        return max((now - each.offered[0] for each in self.sendings.values() if each.stuck_at is None), default=0.0)

    def _oldest_age(self) -> float:
        """The age of the oldest unsent entry: since it was saved, also where another process saved it."""
        waiting = [each.entries[0]["time"] for each in self.sendings.values() if each.stuck_at is None]
        return max(0.0, (self._clock.now() - min(waiting)).total_seconds()) if waiting else 0.0

    @property
    def is_too_much(self) -> bool:
        """Whether nothing should be added to it for a while."""
        return self.unsent > self._max_unsent or self.oldest_seconds > self._max_unsent_seconds
