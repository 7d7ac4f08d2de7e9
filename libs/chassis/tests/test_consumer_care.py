"""A consumer that hangs is started anew until it runs, and a rest ends whatever else breaks."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from chassis import consumer as consumer_module
from chassis.clock import ManualClock
from chassis.consumer import Consumer
from chassis.failures import InfrastructureError
from chassis.records import RawRecord
from chassis.testing import eventually

PARTITION = TopicPartition("in.v1", 0)
SESSION_MS = 3000


class Kafka:
    """What the brokers and consumers below share: which step breaks, and what was asked of them."""

    def __init__(self) -> None:
        self.starts: list[Exception | None] = []
        """What the next starts answer; nothing: they succeed."""
        self.position: list[Exception] = []
        self.started = self.stopped = 0
        self.paused: set[TopicPartition] = set()
        self.hangs = False
        self.slow_commits: list[asyncio.Event] = []
        """What the next commits wait for on their way."""
        self.committed = 0

    def next_start(self) -> Exception | None:
        return self.starts.pop(0) if self.starts else None


class Member:
    """The client library's consumer, as far as it is used."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka

    def assignment(self) -> set[TopicPartition]:
        return set() if self._kafka.hangs else {PARTITION}

    def highwater(self, partition: TopicPartition) -> int:
        return 5

    async def position(self, partition: TopicPartition) -> int:
        if self._kafka.position:
            raise self._kafka.position.pop()
        return 5

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 5)

    def seek(self, partition: TopicPartition, offset: int) -> None: ...

    def pause(self, *partitions: TopicPartition) -> None:
        self._kafka.paused |= set(partitions)

    def paused(self) -> set[TopicPartition]:
        return set(self._kafka.paused)

    def resume(self, *partitions: TopicPartition) -> None:
        self._kafka.paused -= set(partitions)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self._kafka.slow_commits:
            await self._kafka.slow_commits.pop(0).wait()
        self._kafka.committed = offsets[PARTITION]


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
    def __init__(self, kafka: Kafka, clock: ManualClock) -> None:
        self._kafka = kafka
        self.resolving: asyncio.Event | None = None
        super().__init__(
            self._away,
            topics=["in.v1"],
            group="g",
            instance="i",
            connection={},
            clock=clock,
            session_timeout_ms=SESSION_MS,
        )

    async def _away(self, records: Sequence[RawRecord]) -> None:
        if self.resolving is None:
            raise InfrastructureError("away")
        await self.resolving.wait()

    def _build(self, *_: Any) -> tuple[Any, Any]:
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


async def test_a_restart_that_fails_is_tried_again_until_it_succeeds() -> None:
    kafka, clock = Kafka(), ManualClock()
    consumer = Stubbed(kafka, clock)
    await consumer.start()
    kafka.hangs = True
    kafka.starts = [KafkaConnectionError("away"), OSError("no route to host"), AttributeError("a bug of the library")]
    await until(clock, lambda: kafka.started == 2)
    assert consumer.assigned
    await consumer.stop()


async def test_a_rest_ends_even_where_the_care_of_the_consumer_breaks() -> None:
    kafka, clock = Kafka(), ManualClock()
    consumer = Stubbed(kafka, clock)
    await consumer.start()
    kafka.position = [AssertionError("a bug of the library"), OSError("no route to host")]
    await until(clock, lambda: not kafka.position, seconds=10)
    await consumer._on_batch([RawRecord("in.v1", 0, 0, b"k", (), b"{}", 0)])
    assert kafka.paused == {PARTITION}
    await until(clock, lambda: not kafka.paused, seconds=consumer_module.BACKOFF_SECONDS[1])
    await consumer.stop()


async def test_a_start_that_fails_leaves_nothing_of_itself_behind() -> None:
    kafka, clock = Kafka(), ManualClock()
    consumer = Stubbed(kafka, clock)
    kafka.starts = [KafkaConnectionError("away")]
    try:
        await consumer.start()
    except KafkaConnectionError:
        await consumer.start()
    assert (kafka.started, kafka.stopped) == (1, 1)
    await asyncio.wait_for(consumer.stop(), 5)


async def test_it_is_started_anew_once_where_that_is_asked_for() -> None:
    kafka, clock = Kafka(), ManualClock()
    consumer = Stubbed(kafka, clock)
    await consumer.start()
    kafka.starts = [KafkaConnectionError("away")]
    consumer.start_anew()
    await until(clock, lambda: kafka.started == 2)
    stopped = kafka.stopped
    await clock.advance(seconds=10)
    assert (kafka.started, kafka.stopped) == (2, stopped)
    await consumer.stop()


async def test_a_member_that_is_to_start_anew_stays_away_until_its_group_has_forgotten_it() -> None:
    kafka, clock = Kafka(), ManualClock()
    consumer = Stubbed(kafka, clock)
    await consumer.start()
    consumer.start_anew()
    await until(clock, lambda: kafka.stopped == 1)
    left = clock.monotonic()
    await until(clock, lambda: kafka.started == 2)
    assert clock.monotonic() - left > SESSION_MS / 1000
    await consumer.stop()


async def test_an_older_commit_does_not_arrive_behind_a_newer_one() -> None:
    kafka, clock, slow = Kafka(), ManualClock(), asyncio.Event()
    consumer = Stubbed(kafka, clock)
    await consumer.start()
    kafka.slow_commits = [slow]
    member = consumer._subscriber.consumer
    consumer._uncommitted[PARTITION] = 3
    older = asyncio.create_task(consumer._commit_rest(member))
    await asyncio.sleep(0)
    consumer._uncommitted[PARTITION] = 5
    newer = asyncio.create_task(consumer._commit_rest(member))
    await asyncio.sleep(0)
    slow.set()
    await asyncio.gather(older, newer)
    assert kafka.committed == 5
    await consumer.stop()


async def test_a_batch_that_outlived_its_assignment_is_not_committed() -> None:
    kafka, clock = Kafka(), ManualClock()
    consumer = Stubbed(kafka, clock)
    await consumer.start()
    consumer.resolving = asyncio.Event()
    batch = asyncio.create_task(consumer._on_batch([RawRecord("in.v1", 0, 2, b"k", (), b"{}", 0)]))
    await asyncio.sleep(0)
    kafka.committed = 5  # by another member, that had the partition meanwhile
    await consumer.on_partitions_assigned({PARTITION})
    consumer.resolving.set()
    await batch
    assert kafka.committed == 5
    await consumer.stop()
