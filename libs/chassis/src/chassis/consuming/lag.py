"""The lag of a consumer, in records and in seconds.

A record counts until it is resolved, not until it is read. The time of the oldest record is unknown until it is
fetched; it is bounded by the time of the last resolved record, or the last moment at which nothing waited. While the
broker does not answer, the lag is unknown; it is shown as growing from that moment, never as zero.
"""

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from chassis.clock import Clock
from chassis.consuming.reader import Reader
from chassis.delivery import RawRecord

log = structlog.get_logger(__name__)

WATCH_SECONDS = 3.0
"""How long the broker may take to report the ends of partitions."""
FRESH_SECONDS = 5.0
"""An older answer of the broker counts as unknown."""


@dataclass
class _Partition:
    since: datetime
    """No waiting record is older: the time of the last resolved record, or the last moment without any."""
    waiting: int = 0
    in_hand: tuple[int, datetime] | None = None
    """Offset and time of the first record that is fetched and not resolved."""


class Lag:
    """The lag of one member over its partitions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._told_at = clock.monotonic()

    @property
    def records(self) -> int:
        return sum(each.waiting for each in self._partitions.values())

    @property
    def seconds(self) -> float:
        fresh = self._clock.monotonic() - self._told_at <= FRESH_SECONDS
        waiting = [each for each in self._partitions.values() if each.waiting or each.in_hand or not fresh]
        if not waiting:
            return 0.0
        oldest = min(each.in_hand[1] if each.in_hand else each.since for each in waiting)
        return max(0.0, (self._clock.now() - oldest).total_seconds())

    def assigned(self, partitions: Set[TopicPartition]) -> None:
        """Drop partitions that moved to another member; unresolved records will be fetched again."""
        now = self._clock.now()
        self._partitions = {each: self._partitions.get(each, _Partition(now)) for each in partitions}
        for each in self._partitions.values():
            each.in_hand = None
        self._told_at = self._clock.monotonic()

    def took(self, records: Sequence[RawRecord]) -> None:
        """A batch was fetched; its first records are the oldest."""
        first: dict[tuple[str, int], RawRecord] = {}
        for record in records:
            first.setdefault((record.topic, record.partition), record)
        for place, record in first.items():
            if (partition := self._partitions.get(TopicPartition(*place))) is not None:
                partition.in_hand = record.offset, self._time_of(record.timestamp_ms, partition)

    def resolved(self, records: Sequence[RawRecord]) -> None:
        """All deliveries of a batch have an outcome."""
        latest: dict[tuple[str, int], int] = {}
        for record in records:
            place = record.topic, record.partition
            latest[place] = max(latest.get(place, 0), record.timestamp_ms)
        for place, timestamp_ms in latest.items():
            if (partition := self._partitions.get(TopicPartition(*place))) is not None:
                partition.since = max(partition.since, self._time_of(timestamp_ms, partition))
                partition.in_hand = None

    async def ask(self, consumer: Reader, assigned: Set[TopicPartition]) -> int | None:
        """Ask the broker for the ends of partitions; return how many records are unread, None if it does not answer."""
        asked_at = self._clock.now()
        try:
            async with asyncio.timeout(WATCH_SECONDS):
                # The fetcher knows the ends only from its last fetch, which is outdated if it is paused or hangs.
                ends = await consumer.end_offsets(list(assigned)) if assigned else {}
                positions = {partition: await consumer.position(partition) for partition in assigned}
        except (KafkaError, TimeoutError) as error:
            log.info("lag_unknown", error=repr(error))
            return None
        self.update_ends(ends, positions, asked_at)
        unread: int = sum(max(0, ends[partition] - positions[partition]) for partition in assigned)
        return unread

    def update_ends(
        self, ends: Mapping[TopicPartition, int], positions: Mapping[TopicPartition, int], asked_at: datetime
    ) -> None:
        """The broker reported the ends of the partitions; `positions` are the next offsets to fetch."""
        for name, partition in self._partitions.items():
            if name in ends and name in positions:
                first = partition.in_hand[0] if partition.in_hand else positions[name]
                partition.waiting = max(0, ends[name] - first)
                if not partition.waiting:
                    partition.since = asked_at
        self._told_at = self._clock.monotonic()

    def _time_of(self, timestamp_ms: int, partition: _Partition) -> datetime:
        """A record's time, bounded to what is plausible: the writer sets it."""
        now = self._clock.now()
        if timestamp_ms <= 0:
            return partition.since
        try:
            return min(now, datetime.fromtimestamp(timestamp_ms / 1000, UTC))
        except (OverflowError, ValueError, OSError):
            return now
