"""The only Kafka consumer of this project; a lint rule forbids any other.

Adds three guarantees to the library's consumer. It reads committed records only, and its end is the last stable
offset: records of open or aborted transactions are never read, waited for or counted as lag. Each poll begins with
the partition that has waited for the most polls, so none waits behind another's backlog. If reading one partition
fails, records already taken from another are not lost.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition  # noqa: TID251 - the one place
from aiokafka.errors import KafkaError

from chassis.consuming import tolerant_records as wire

wire.install()

Positions = Mapping[TopicPartition, int]


class Reader(AIOKafkaConsumer):  # type: ignore[misc]  # the library has no types
    """A consumer of committed records."""

    def __init__(self, *topics: str, on_poll: Callable[[Positions], None] | None = None, **options: Any) -> None:
        """As the library's consumer.

        Args:
            on_poll: called with the positions at the start of each poll. Everything before them was returned by
                earlier polls, or is never returned: transaction markers and aborted records.
        """
        super().__init__(*topics, **{**options, "isolation_level": "read_committed"})
        self._on_poll = on_poll
        self._failed: KafkaError | None = None
        self._polls = 0
        self._given_at: dict[TopicPartition, int] = {}
        """Per partition, the last poll that returned records of it."""

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Records by partition: already fetched ones, by turns; otherwise those that arrive in time."""
        if self._on_poll is not None:
            self._on_poll(self._positions())
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed
        self._polls += 1
        found: dict[TopicPartition, list[ConsumerRecord]] = {}
        if not partitions and max_records is not None:
            found = await self._turns(max_records)
        if not found:
            found = await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
        self._given_at.update(dict.fromkeys(found, self._polls))
        return found

    async def _turns(self, most: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """At most `most` of the records already fetched: the longest waiting partition first, as many as fit.

        Not equal shares: neighbouring records are often for the same few documents, and in one batch these cost one
        update each.
        """
        # Only the first call may wait for an assignment: otherwise records taken here could belong to another member
        # by the time they are returned.
        found: dict[TopicPartition, list[ConsumerRecord]] = {}
        for partition in sorted(self._fetcher._records, key=lambda each: self._given_at.get(each, 0)):
            records = await self._take(partition, most, nothing_yet=not found)
            if records:
                found[partition] = records
                most -= len(records)
            if most == 0:
                break
        return found

    async def _take(self, partition: TopicPartition, size: int, *, nothing_yet: bool) -> list[ConsumerRecord]:
        try:
            found = await super().getmany(partition, timeout_ms=0, max_records=size)
        except KafkaError as error:
            if nothing_yet:
                raise
            self._failed = error  # records of other partitions count as read, so they are returned first
            return []
        records: list[ConsumerRecord] = found.get(partition, [])
        return records

    def _positions(self) -> dict[TopicPartition, int]:
        """The next offset to fetch, for partitions where it is known."""
        subscription = self._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None:
            return {}
        states = ((partition, assignment.state_value(partition)) for partition in assignment.tps)
        return {partition: state.position for partition, state in states if state.has_valid_position}
