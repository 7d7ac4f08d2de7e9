"""Offsets of resolved records, until they are committed."""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from chassis.consuming.reader import Positions, Reader
from chassis.delivery import RawRecord, next_of_each
from chassis.failpoints import passage

log = structlog.get_logger(__name__)


class Commits:
    """Offsets that one member has resolved and not committed yet."""

    def __init__(self) -> None:
        self._offsets: dict[TopicPartition, int] = {}
        self._passed: dict[TopicPartition, int] = {}
        """How far each partition is resolved, committed or not."""
        self._committing = asyncio.Lock()
        self._soon: asyncio.Task[None] | None = None
        self._forgotten = 0

    def resolved(self, records: Sequence[RawRecord]) -> None:
        """All deliveries of these records, and of everything before them, have an outcome."""
        for (topic, partition), offset in next_of_each(records).items():
            self._offsets[TopicPartition(topic, partition)] = self._passed[TopicPartition(topic, partition)] = offset

    def passed(self, positions: Positions) -> None:
        """Everything before these positions is resolved, or yields no records.

        A log may end in transaction markers and aborted records, which are never delivered. Without this the group's
        offset would never reach the end: nothing would seem late, but no deadline would fire.
        """
        for partition, position in positions.items():
            if position > self._passed.get(partition, -1):
                self._offsets[partition] = self._passed[partition] = position

    def forget(self) -> None:
        """Drop all offsets: the partitions may belong to another member, which reads uncommitted records again."""
        self._offsets.clear()
        self._passed.clear()
        self._forgotten += 1

    def commit_soon(self, consumer: Reader) -> None:
        """Commit in the background while the next batch is processed; later offsets go with the next commit."""
        if self._soon is None or self._soon.done():
            self._soon = asyncio.create_task(self._commit_all(consumer))

    async def _commit_all(self, consumer: Reader) -> None:
        before: dict[TopicPartition, int] = {}
        while self._offsets and self._offsets != before:  # unchanged: the commit failed; the next call retries
            before = dict(self._offsets)
            try:
                await self.commit(consumer)
            except Exception as error:
                log.error("commit_broke", error=repr(error), exc_info=True)

    async def commit(self, consumer: Reader) -> None:
        """Commit what is resolved; on failure it is committed later, or the records are read again."""
        async with self._committing:  # of two concurrent commits the older could arrive last, and set the group back
            offsets, forgotten = dict(self._offsets), self._forgotten
            if not offsets:
                return
            try:
                passage("commit.before")
                await consumer.commit(offsets)
                passage("commit.after")
            except (CommitFailedError, IllegalStateError):
                if forgotten == self._forgotten:  # otherwise the offsets were resolved since, and are still ours
                    self.forget()  # the records are read again, as duplicates
            except KafkaError as error:
                log.warning("commit_failed", error=repr(error))
            else:
                for partition, offset in offsets.items():
                    if self._offsets.get(partition) == offset:
                        del self._offsets[partition]
