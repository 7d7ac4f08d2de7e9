"""A consumer group seen from outside: its committed offsets, and the partitions of its members."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError, for_code

from chassis.broker.connections import Admin
from chassis.broker.refusals import reaching
from chassis.consuming import Reader
from chassis.settings import KafkaSettings
from chassis.tasks import end

_STABLE = "Stable"


class Group:
    """One group, over all partitions of its topics."""

    def __init__(self, settings: KafkaSettings, admin: Admin, name: str, topics: Sequence[str]) -> None:
        self.topics = tuple(topics)
        self._settings = settings
        self._admin = admin
        self._name = name
        self._observer: Reader | None = None
        self._opening = asyncio.Lock()

    async def ends(self) -> dict[TopicPartition, int]:
        """The current end of every partition: its last stable offset.

        Raises:
            KafkaError: the broker is unavailable.
        """
        observer = await self._connected_observer()
        partitions = [
            TopicPartition(topic, number)
            for topic in self.topics
            for number in sorted(observer.partitions_for_topic(topic) or ())
        ]
        return dict(await observer.end_offsets(partitions)) if partitions else {}

    async def committed(self) -> dict[TopicPartition, int]:
        """The group's committed offsets; a partition without a commit is left out.

        Raises:
            KafkaError: the broker is unavailable.
        """
        try:
            offsets = await self._admin.ask(lambda client: client.list_consumer_group_offsets(self._name))
        except (KafkaError, TimeoutError):
            await self.stop()
            raise
        return {partition: entry.offset for partition, entry in offsets.items() if entry.offset >= 0}

    async def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether everything up to `ends` is committed; without a commit, nothing is."""
        committed = await self.committed()
        return all(committed.get(partition, 0) >= end for partition, end in ends.items())

    async def readers(self) -> Counter[TopicPartition] | None:
        """How many members have each partition; None during a rebalance, or if there are no members.

        Raises:
            KafkaError: the broker is unavailable.
        """
        (answer,) = await self._admin.ask(lambda client: client.describe_consumer_groups([self._name]))
        # (error code, group id, state, protocol type, protocol, members, …); a member's last item is its assignment.
        error, _, state, _, _, members, *_ = answer.groups[0]
        if error:
            raise for_code(error)
        if state != _STABLE:
            return None
        return Counter(
            TopicPartition(topic, number)
            for member in members
            if member[-1]
            for topic, numbers in ConsumerProtocolMemberAssignment.decode(member[-1]).assignment
            for number in numbers
        )

    async def stop(self) -> None:
        observer, self._observer = self._observer, None
        if observer is not None:
            await end(observer.stop)

    async def _connected_observer(self) -> Reader:
        async with self._opening:
            if self._observer is None:
                observer = Reader(*self.topics, **self._settings.client_options(), group_id=None)
                try:
                    async with reaching(self._settings):
                        await observer.start()
                except BaseException:
                    await end(observer.stop)
                    raise
                self._observer = observer
            return self._observer
