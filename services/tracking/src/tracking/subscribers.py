"""Stores every record of every event topic as an entry or as unreadable; no record blocks or is lost."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog

from chassis.clock import Clock
from chassis.delivery import RawRecord
from tracking import metrics
from tracking.domain.entry import Entry
from tracking.messages import Unreadable, read

log = structlog.get_logger(__name__)


class Store(Protocol):
    """The write side of the read model."""

    async def add(self, entries: Sequence[Entry]) -> None: ...

    async def keep_unreadable(self, records: Sequence[Unreadable], now: datetime) -> None: ...


class TimelineSubscriber:
    """Writes the read model; idempotent."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def apply(self, records: Sequence[RawRecord]) -> None:
        """Store every record. Raises only what the database raises."""
        results = [read(record) for record in records]
        entries = [each for each in results if isinstance(each, Entry)]
        unreadable = [each for each in results if isinstance(each, Unreadable)]
        if entries:
            await self._store.add(entries)
        if unreadable:
            await self._store.keep_unreadable(unreadable, self._clock.now())
            for each in unreadable:
                metrics.UNREADABLE.labels(each.record.topic).inc()
                log.warning("record_unreadable", position=str(each.record.position), reason=each.reason)
