"""The one consumer of Kafka that this project builds; a lint rule forbids every other.

Keeps three promises that the library's own does not. It reads committed records only, and "the end" is the last
stable offset: what stands in an aborted or an open transaction is no fact, is not waited for, and is no lag. Each
poll begins with the partition that has waited for most polls, so that none waits behind another's thousands. Nothing
that was taken from one partition is lost where reading another fails.
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
        """As the library's.

        Args:
            on_poll: is given the positions with which each poll begins. Nobody reads between two polls of one loop, so
                what stands before them was handed over by the polls before, or is nothing to hand over: the markers
                of transactions, and what they aborted.
        """
        super().__init__(*topics, **{**options, "isolation_level": "read_committed"})
        self._on_poll = on_poll
        self._failed: KafkaError | None = None
        self._polls = 0
        self._given_at: dict[TopicPartition, int] = {}
        """The poll that last gave out something of a partition."""

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Records by partition: of what was fetched, in turns; else what comes within the time."""
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
        """At most so many of what was fetched already: what has waited longest first, and of each all that has room.

        Whole turns, not even shares: what stands together in a partition is often for the same few documents, and
        costs one update each if it comes in one batch.
        """
        # Only the first of these calls may wait, for partitions to be given out: else some could be taken here and be
        # another member's by the time they are handed over.
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
            self._failed = error  # what others gave counts as read already: it goes first
            return []
        records: list[ConsumerRecord] = found.get(partition, [])
        return records

    def _positions(self) -> dict[TopicPartition, int]:
        """What would be fetched next, of the partitions of which that is known."""
        subscription = self._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None:
            return {}
        states = ((partition, assignment.state_value(partition)) for partition in assignment.tps)
        return {partition: state.position for partition, state in states if state.has_valid_position}
