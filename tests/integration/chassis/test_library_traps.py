"""The traps of consuming with the Kafka libraries, each shown open with the library's default and closed with ours.

Where a test has two halves, the first runs the library as it comes, so that it also says when a
trap has gone; the second runs ours and turns red when ours is replaced by the default.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError
from faststream import AckPolicy
from faststream.kafka import KafkaMessage
from integration.chassis.consuming import Group, Handled, Send, ours, theirs

from chassis.consuming import progress
from chassis.consuming.consumer import Consumer
from chassis.testing import eventually
from launcher.infrastructure import Infrastructure

AUTO_COMMIT_SECONDS = 5.0
"""How often aiokafka commits positions by itself, where it is let."""


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


# A ping says that a broker answers, not that anything is consumed.


async def test_liveness_sees_a_consumer_that_hangs_while_the_broker_answers_pings(
    infrastructure: Infrastructure, group: Group, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "STALL_SECONDS", 1.0)
    handled = Handled()
    handled.go.clear()
    await send("a")
    async with ours(infrastructure, group, handled.process, max_records=1) as consumer:
        await handled.tried(1)
        await send("b")

        async def hangs() -> str | None:
            return consumer.stalled()

        assert "a batch has been in progress" in str(await eventually(hangs, within_seconds=15))
        assert await consumer._member.broker.ping(5), "the library's own check sees nothing"
        handled.go.set()
        await handled.has("a", "b")

        async def well() -> bool:
            return consumer.stalled() is None

        await eventually(well)
