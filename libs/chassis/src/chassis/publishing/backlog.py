"""The backlog of unacknowledged events: its size, its age, and whether it is an overload.

Keeps: stuck documents, which Kafka permanently refuses, do not count, so that they do not stop other work.
"""

import asyncio

from chassis.clock import Clock
from chassis.publishing.hand_over import Sending
from chassis.publishing.trimming import DocumentKey
from chassis.telemetry import metrics


class Backlog:
    """The backlog of one publisher."""

    def __init__(self, clock: Clock, *, max_unsent: int, max_unsent_seconds: float) -> None:
        self._clock = clock
        self._max_unsent = max_unsent
        self._max_unsent_seconds = max_unsent_seconds
        self._nothing = asyncio.Event()
        self._nothing.set()
        self.sendings: dict[DocumentKey, Sending] = {}
        """Documents with entries to send."""
        self.unsent = 0
        """Number of unacknowledged entries."""

    def show(self) -> None:
        """Update the metrics."""
        metrics.UNSENT.set_function(lambda: self.unsent)
        metrics.OLDEST_UNSENT_SECONDS.set_function(self._oldest_age)
        metrics.DOCUMENTS_STUCK.set_function(lambda: sum(each.stuck_at is not None for each in self.sendings.values()))

    def count(self, more: int) -> None:
        """Add to the number of entries; negative if they were acknowledged, or their document is stuck."""
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
        """How long the oldest entry has waited here."""
        now = self._clock.monotonic()
        return max((now - each.offered[0] for each in self.sendings.values() if each.stuck_at is None), default=0.0)

    def _oldest_age(self) -> float:
        """The age of the oldest unsent entry since it was saved, possibly by another process."""
        waiting = [each.entries[0]["time"] for each in self.sendings.values() if each.stuck_at is None]
        return max(0.0, (self._clock.now() - min(waiting)).total_seconds()) if waiting else 0.0

    @property
    def is_too_much(self) -> bool:
        """Whether the service is overloaded."""
        return self.unsent > self._max_unsent or self.oldest_seconds > self._max_unsent_seconds
