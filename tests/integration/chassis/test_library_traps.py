"""The traps of consuming with the Kafka libraries, each shown open with the library's default and closed with ours.

Where a test has two halves, the first runs the library as it comes, so that it also says when a
trap has gone; the second runs ours and turns red when ours is replaced by the default.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from chassis import consumer as consumer_module
from chassis.clock import SystemClock
from chassis.consumer import Consumer
from chassis.records import RawRecord
from chassis.testing import eventually
from launcher.infrastructure import Infrastructure

Send = Callable[..., Awaitable[None]]

AUTO_COMMIT_SECONDS = 5.0
"""How often aiokafka commits positions by itself, where it is let."""


@pytest.fixture
async def send(infrastructure: Infrastructure, topic: str) -> AsyncIterator[Send]:
    producer = AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers, acks="all")
    await producer.start()

    async def send(*values: str, partition: int = 0, headers: Sequence[tuple[str, Any]] = ()) -> None:
        for value in values:
            await producer.send_and_wait(topic, value.encode(), partition=partition, headers=list(headers))

    yield send
    await producer.stop()


class Group:
    """What a consumer group has committed."""

    def __init__(self, infrastructure: Infrastructure, topic: str) -> None:
        self.name = f"group-{uuid.uuid4().hex[:8]}"
        self.topic = topic
        self._bootstrap = infrastructure.bootstrap_servers

    async def committed(self) -> dict[int, int]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self.name)
        finally:
            await admin.close()
        return {partition.partition: entry.offset for partition, entry in offsets.items() if entry.offset > 0}

    async def reaches(self, **wanted: int) -> None:
        """Wait until `p<partition>=<offset>` is committed."""

        async def there() -> bool:
            return await self.committed() == {int(name[1:]): offset for name, offset in wanted.items()}

        await eventually(there, within_seconds=20)


@pytest.fixture
def group(infrastructure: Infrastructure, topic: str) -> Group:
    return Group(infrastructure, topic)


class Handled:
    """What reached the handler; fails, or waits, as told."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self.records: list[RawRecord] = []
        self.failing = False
        self.attempts = 0
        self.go = asyncio.Event()
        self.go.set()

    async def process(self, records: Sequence[RawRecord]) -> None:
        self.attempts += 1
        if self.failing:
            raise ConnectionError("the database is away")
        await self.go.wait()
        self.records += records
        self.values += [(record.value or b"").decode() for record in records]

    async def has(self, *values: str) -> None:
        async def there() -> bool:
            return sorted(self.values) == sorted(values)

        await eventually(there, within_seconds=20)

    async def tried(self, times: int) -> None:
        async def often() -> bool:
            return self.attempts >= times

        await eventually(often, within_seconds=20)


@asynccontextmanager
async def ours(
    infrastructure: Infrastructure, group: Group, process: consumer_module.Process, **options: Any
) -> AsyncIterator[Consumer]:
    consumer = Consumer(
        process,
        topics=[group.topic],
        group=group.name,
        instance="one",
        connection={"bootstrap_servers": infrastructure.bootstrap_servers},
        clock=SystemClock(),
        session_timeout_ms=6000,
        **options,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def theirs(
    infrastructure: Infrastructure, group: Group, handler: Callable[[Any], Awaitable[None]], **options: Any
) -> AsyncIterator[KafkaBroker]:
    """The library as it comes."""
    broker = KafkaBroker(infrastructure.bootstrap_servers, logger=None, graceful_timeout=1)
    subscriber = broker.subscriber(group.topic, group_id=group.name, auto_offset_reset="earliest", **options)
    subscriber(handler)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


# ACK_FIRST: the default acknowledges before the handler has run.


async def test_the_default_loses_what_fails(infrastructure: Infrastructure, group: Group, send: Send) -> None:
    seen: list[bytes] = []

    async def fail(message: KafkaMessage) -> None:
        seen.append(message.body)
        raise ConnectionError("the database is away")

    await send("a")
    async with theirs(infrastructure, group, fail):

        async def once() -> bool:
            return bool(seen)

        await eventually(once)
        await group.reaches(p0=1)


async def test_no_offset_is_committed_before_its_delivery_has_ended(
    infrastructure: Infrastructure, group: Group, send: Send
) -> None:
    handled = Handled()
    handled.failing = True
    await send("a", "b")
    async with ours(infrastructure, group, handled.process):
        await handled.tried(3)
        assert await group.committed() == {}
    # The process ends; its successor gets everything again.
    handled.failing = False
    async with ours(infrastructure, group, handled.process):
        await handled.has("a", "b")
        await group.reaches(p0=2)


# NACK_ON_ERROR retries bad input for ever; what fails and is not the infrastructure is the policy's to park.
# A failing batch must not spin either.


async def test_a_failing_batch_is_tried_again_with_rising_pauses_and_the_member_stays(
    infrastructure: Infrastructure, group: Group, send: Send
) -> None:
    handled = Handled()
    handled.failing = True
    await send("a")
    async with ours(infrastructure, group, handled.process) as consumer:
        await handled.tried(2)
        attempts = handled.attempts
        await asyncio.sleep(1.0)  # the span over which attempts are counted, not a wait for something
        assert handled.attempts - attempts <= 5
        assert consumer.assigned
        handled.failing = False
        await handled.has("a")
        await group.reaches(p0=1)


async def test_nack_on_error_spins_on_bad_input(infrastructure: Infrastructure, group: Group, send: Send) -> None:
    attempts = 0

    async def fail(message: KafkaMessage) -> None:
        nonlocal attempts
        attempts += 1
        raise ValueError("bad input")

    await send("a")
    async with theirs(infrastructure, group, fail, ack_policy=AckPolicy.NACK_ON_ERROR):

        async def many() -> bool:
            return attempts > 5

        await eventually(many)


# A bare commit() commits the positions of all partitions, resolved or not.


async def test_a_bare_commit_passes_what_is_not_resolved(
    infrastructure: Infrastructure, group: Group, send: Send
) -> None:
    await send("a", partition=0)
    await send("b", partition=1)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=infrastructure.bootstrap_servers, group_id=group.name, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(group.topic, 0), TopicPartition(group.topic, 1)])
        await consumer.seek_to_beginning()
        assert await consumer.getone(TopicPartition(group.topic, 0))
        assert await consumer.getone(TopicPartition(group.topic, 1))
        await consumer.commit()  # after resolving partition 0 alone
    finally:
        await consumer.stop()
    assert await group.committed() == {0: 1, 1: 1}


async def test_only_what_is_resolved_is_committed_while_positions_are_further(
    infrastructure: Infrastructure, group: Group, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first commit meets a broker that is away, and is made up for while the next batch is in hand."""
    handled = Handled()
    async with ours(infrastructure, group, handled.process, max_records=1) as consumer:
        inner = await eventually(_inner_of(consumer))
        assert inner is not None
        commit, away = inner.commit, True

        async def commit_when_there(*offsets: Any) -> None:
            if away:
                raise KafkaConnectionError("away")
            await commit(*offsets)

        monkeypatch.setattr(inner, "commit", commit_when_there)
        await send("a", partition=0)
        await handled.has("a")
        handled.go.clear()
        await send("b", partition=1)
        await handled.tried(2)
        assert await inner.position(TopicPartition(group.topic, 1)) == 1
        away = False
        await group.reaches(p0=1)
        handled.go.set()
        await group.reaches(p0=1, p1=1)


async def test_a_batch_in_hand_is_not_committed_however_long_it_takes(
    infrastructure: Infrastructure, group: Group, send: Send
) -> None:
    handled = Handled()
    handled.go.clear()
    await send("a")
    async with ours(infrastructure, group, handled.process):
        await handled.tried(1)
        await asyncio.sleep(AUTO_COMMIT_SECONDS + 1.5)  # the library's own commits come this often, where they come
        assert await group.committed() == {}
        handled.go.set()
        await group.reaches(p0=1)


def _inner_of(consumer: Consumer) -> Callable[[], Awaitable[AIOKafkaConsumer | None]]:
    async def inner() -> AIOKafkaConsumer | None:
        return consumer._consumer if consumer.assigned else None

    return inner


# A null or non-UTF-8 header kills the library's parser before any policy sees the record.

HEADERS = [("null", [("h", None)]), ("not UTF-8", [("h", b"\xff\xfe")])]


@pytest.mark.parametrize(("name", "headers"), HEADERS)
async def test_the_librarys_parser_loses_a_record_by_its_header(
    infrastructure: Infrastructure, group: Group, send: Send, name: str, headers: list[tuple[str, Any]]
) -> None:
    seen: list[bytes] = []

    async def handle(message: KafkaMessage) -> None:
        seen.append(message.body)

    await send("a", headers=headers)
    await send("b")
    async with theirs(infrastructure, group, handle, ack_policy=AckPolicy.NACK_ON_ERROR):

        async def second() -> bool:
            return b"b" in seen

        await eventually(second)
    assert b"a" not in seen


@pytest.mark.parametrize(("name", "headers"), HEADERS)
async def test_a_record_with_any_header_reaches_the_policy(
    infrastructure: Infrastructure, group: Group, send: Send, name: str, headers: list[tuple[str, Any]]
) -> None:
    handled = Handled()
    await send("a", headers=headers)
    await send("b")
    async with ours(infrastructure, group, handled.process):
        await handled.has("a", "b")
    found = next(record.headers for record in handled.records if record.value == b"a")
    assert [value for _, value in found] == [headers[0][1]]


async def test_a_null_value_and_a_null_key_reach_the_policy(infrastructure: Infrastructure, group: Group) -> None:
    handled = Handled()
    producer = AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers)
    await producer.start()
    await producer.send_and_wait(group.topic, None, key=b"k", partition=0)
    await producer.send_and_wait(group.topic, b"\x00\xff", key=None, partition=0)
    await producer.stop()

    async def both() -> bool:
        return len(handled.records) == 2

    async def keep(records: Sequence[RawRecord]) -> None:
        handled.records += records

    async with ours(infrastructure, group, keep):
        await eventually(both)
    assert [(record.key, record.value) for record in handled.records] == [(b"k", None), (None, b"\x00\xff")]


# A ping says that a broker answers, not that anything is consumed.


async def test_liveness_sees_a_consumer_that_hangs_while_the_broker_answers_pings(
    infrastructure: Infrastructure, group: Group, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "STALL_SECONDS", 1.0)
    handled = Handled()
    handled.go.clear()
    await send("a")
    async with ours(infrastructure, group, handled.process, max_records=1) as consumer:
        await handled.tried(1)
        await send("b")

        async def hangs() -> str | None:
            return consumer.stalled()

        assert "not resolved" in str(await eventually(hangs, within_seconds=15))
        assert await consumer.broker.ping(5), "the library's own check sees nothing"
        handled.go.set()
        await handled.has("a", "b")

        async def well() -> bool:
            return consumer.stalled() is None

        await eventually(well)
