"""A hanging consumer is restarted until it runs, and a pause ends whatever else fails."""

import asyncio
from collections.abc import Sequence

from aiokafka.errors import KafkaConnectionError
from stubbed_consumer import PARTITION, SESSION_MS, Kafka, Stubbed, until

from chassis.consuming.rest import BACKOFF_SECONDS
from chassis.delivery.records import RawRecord
from chassis.testing import ManualClock


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
    await until(clock, lambda: not kafka.paused, seconds=BACKOFF_SECONDS[1])
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
    member = consumer._consumer
    assert member is not None
    consumer._commits.resolved([RawRecord("in.v1", 0, 2, b"k", (), b"{}", 0)])
    older = asyncio.create_task(consumer._commits.commit(member))
    await asyncio.sleep(0)
    consumer._commits.resolved([RawRecord("in.v1", 0, 4, b"k", (), b"{}", 0)])
    newer = asyncio.create_task(consumer._commits.commit(member))
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


async def test_a_stop_does_not_wait_for_a_commit_that_the_group_does_not_take() -> None:
    kafka, clock = Kafka(), ManualClock()

    async def resolved(records: Sequence[RawRecord]) -> None: ...

    consumer = Stubbed(kafka, clock, resolved)
    await consumer.start()
    kafka.slow_commits = [asyncio.Event(), asyncio.Event()]
    await consumer._on_batch([RawRecord("in.v1", 0, 0, b"k", (), b"{}", 0)])
    await asyncio.wait_for(consumer.stop(), 2 * SESSION_MS / 1000)
    assert kafka.stopped == 1
