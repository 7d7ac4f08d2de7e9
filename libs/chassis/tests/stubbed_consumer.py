"""A consumer whose client library is a stub: the test sets what the broker does."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from chassis.consuming.consumer import Consumer, Process
from chassis.delivery.records import RawRecord
from chassis.failures import InfrastructureError
from chassis.testing import ManualClock, eventually

PARTITION = TopicPartition("in.v1", 0)
SESSION_MS = 3000


class Kafka:
    """State shared by the brokers and consumers below: which step fails, and which calls were made."""

    def __init__(self) -> None:
        self.starts: list[Exception | None] = []
        """Results of the next starts; empty: they succeed."""
        self.position: list[Exception] = []
        self.started = self.stopped = 0
        self.paused: set[TopicPartition] = set()
        self.hangs = False
        self.slow_commits: list[asyncio.Event] = []
        """Events that the next commits wait for."""
        self.committed = 0
        self.end = self.read = 5
        """Where the partition ends, and what is fetched next."""
        self.away = False
        """The broker does not report the ends of partitions."""

    def next_start(self) -> Exception | None:
        return self.starts.pop(0) if self.starts else None


class Member:
    """The used part of the client library's consumer."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka

    def assignment(self) -> set[TopicPartition]:
        return set() if self._kafka.hangs else {PARTITION}

    async def position(self, partition: TopicPartition) -> int:
        if self._kafka.position:
            raise self._kafka.position.pop()
        return self._kafka.read

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        if self._kafka.away:
            raise KafkaConnectionError("away")
        return dict.fromkeys(partitions, self._kafka.end)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._kafka.read = offset

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self._kafka.slow_commits:
            await self._kafka.slow_commits.pop(0).wait()
        self._kafka.committed = offsets[PARTITION]

    def pause(self, *partitions: TopicPartition) -> None:
        self._kafka.paused |= set(partitions)

    def paused(self) -> set[TopicPartition]:
        return set(self._kafka.paused)

    def resume(self, *partitions: TopicPartition) -> None:
        self._kafka.paused -= set(partitions)


class Broker:
    """FastStream's broker and subscriber in one."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self.consumer: Member | None = None

    async def start(self) -> None:
        if (error := self._kafka.next_start()) is not None:
            raise error
        self._kafka.started += 1
        self._kafka.hangs = False
        self.consumer = Member(self._kafka)

    async def stop(self) -> None:
        self._kafka.stopped += 1
        self.consumer = None


class Stubbed(Consumer):
    def __init__(self, kafka: Kafka, clock: ManualClock, process: Process | None = None) -> None:
        self._kafka = kafka
        self.resolving: asyncio.Event | None = None
        super().__init__(
            process or self._unreachable,
            topics=["in.v1"],
            group="g",
            instance="i",
            connection={},
            clock=clock,
            session_timeout_ms=SESSION_MS,
        )

    async def _unreachable(self, records: Sequence[RawRecord]) -> None:
        if self.resolving is None:
            raise InfrastructureError("away")
        await self.resolving.wait()

    def _build(self) -> tuple[Any, Any]:
        broker = Broker(self._kafka)
        return broker, broker


async def until(clock: ManualClock, condition: Any, *, seconds: float = 200) -> None:
    """Move the clock until something holds."""
    began = clock.monotonic()

    async def holds() -> bool:
        await clock.advance(seconds=1)
        return bool(condition()) or clock.monotonic() > began + seconds

    await eventually(holds, every_seconds=0.001)
    assert condition()
