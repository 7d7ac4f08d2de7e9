"""Offsets of what is resolved, until the group has them."""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from chassis.failpoints import passage
from chassis.records import RawRecord, next_of_each

log = structlog.get_logger(__name__)


class Commits:
    """What one member has resolved of its partitions and not committed yet."""

    def __init__(self) -> None:
        self._offsets: dict[TopicPartition, int] = {}
        self._committing = asyncio.Lock()

    def resolved(self, records: Sequence[RawRecord]) -> None:
        """All deliveries of some records, and of everything before them, have ended."""
        for (topic, partition), offset in next_of_each(records).items():
            self._offsets[TopicPartition(topic, partition)] = offset

    def forget(self) -> None:
        """The partitions may be another member's now: what was not committed comes again there."""
        self._offsets.clear()

    async def commit(self, consumer: AIOKafkaConsumer) -> None:
        """Commit what is resolved; what cannot be committed now is committed later, or comes again."""
        async with self._committing:  # of two on their way the older could arrive last, and set the group back for good
            offsets = dict(self._offsets)
            if not offsets:
                return
            try:
                passage("commit.before")
                await consumer.commit(offsets)
                passage("commit.after")
            except (CommitFailedError, IllegalStateError):
                self.forget()  # identity absorbs the repeat
            except KafkaError as error:
                log.warning("commit_failed", error=repr(error))
            else:
                for partition, offset in offsets.items():
                    if self._offsets.get(partition) == offset:
                        del self._offsets[partition]
