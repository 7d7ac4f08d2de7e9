"""Offsets of what is resolved, until the group has them."""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from chassis.consuming.reader import Positions, Reader
from chassis.delivery.records import RawRecord, next_of_each
from chassis.failpoints import passage

log = structlog.get_logger(__name__)


class Commits:
    """What one member has resolved of its partitions and not committed yet."""

    def __init__(self) -> None:
        self._offsets: dict[TopicPartition, int] = {}
        self._passed: dict[TopicPartition, int] = {}
        """How far each partition is, committed or not."""
        self._committing = asyncio.Lock()
        self._soon: asyncio.Task[None] | None = None
        self._forgotten = 0

    def resolved(self, records: Sequence[RawRecord]) -> None:
        """All deliveries of some records, and of everything before them, have ended."""
        for (topic, partition), offset in next_of_each(records).items():
            self._offsets[TopicPartition(topic, partition)] = self._passed[TopicPartition(topic, partition)] = offset

    def passed(self, positions: Positions) -> None:
        """Everything before some positions is resolved, or is nothing to resolve.

        A log may end in markers of transactions and in what they aborted. No record of it comes, and without this the
        group would stand before its end for ever: nothing would be late, and no deadline would fire.
        """
        for partition, position in positions.items():
            if position > self._passed.get(partition, -1):
                self._offsets[partition] = self._passed[partition] = position

    def forget(self) -> None:
        """The partitions may be another member's now: what was not committed comes again there."""
        self._offsets.clear()
        self._passed.clear()
        self._forgotten += 1

    def commit_soon(self, consumer: Reader) -> None:
        """Commit while the next batch is worked on; what is resolved meanwhile goes with the commit after that."""
        if self._soon is None or self._soon.done():
            self._soon = asyncio.create_task(self._commit_all(consumer))

    async def _commit_all(self, consumer: Reader) -> None:
        before: dict[TopicPartition, int] = {}
        while self._offsets and self._offsets != before:  # the same again: it failed, and the next one tries it
            before = dict(self._offsets)
            try:
                await self.commit(consumer)
            except Exception as error:
                log.error("commit_broke", error=repr(error), exc_info=True)

    async def commit(self, consumer: Reader) -> None:
        """Commit what is resolved; what cannot be committed now is committed later, or comes again."""
        async with self._committing:  # of two on their way the older could arrive last, and set the group back for good
            offsets, forgotten = dict(self._offsets), self._forgotten
            if not offsets:
                return
            try:
                passage("commit.before")
                await consumer.commit(offsets)
                passage("commit.after")
            except (CommitFailedError, IllegalStateError):
                if forgotten == self._forgotten:  # else what stands there now was resolved since, and is still ours
                    self.forget()  # identity absorbs the repeat
            except KafkaError as error:
                log.warning("commit_failed", error=repr(error))
            else:
                for partition, offset in offsets.items():
                    if self._offsets.get(partition) == offset:
                        del self._offsets[partition]
