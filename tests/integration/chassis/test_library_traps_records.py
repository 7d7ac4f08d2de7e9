"""The traps of the Kafka libraries around records: which of them are lost, and for how long they stay in memory."""

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaMessage
from integration.chassis.consuming import Group, Handled, Send, ours, theirs

from chassis.delivery.records import RawRecord
from chassis.tasks import cancel
from chassis.testing import eventually
from launcher.infrastructure import Infrastructure

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


# The library handles a message in a context that holds it, and every task, timer and connection that is begun there
# keeps that context for as long as it lives.


class Beginnings:
    """A handler that begins something long with every batch, as a connection is."""

    def __init__(self) -> None:
        self.seen = 0
        self.begun: list[asyncio.Task[bool]] = []

    def begin(self, messages: int) -> None:
        self.seen += messages
        self.begun.append(asyncio.create_task(asyncio.Event().wait()))

    async def process(self, records: Sequence[RawRecord]) -> None:
        self.begin(len(records))

    async def handle(self, message: KafkaMessage) -> None:
        self.begin(1)

    async def saw(self, messages: int) -> None:
        async def all_of_them() -> bool:
            return self.seen == messages

        await eventually(all_of_them)


def _alive(kind: type[RawRecord] | type[ConsumerRecord], topic: str) -> int:
    gc.collect()
    return sum(1 for each in gc.get_objects() if isinstance(each, kind) and each.topic == topic)


async def test_what_the_library_begins_keeps_its_messages(
    infrastructure: Infrastructure, group: Group, send: Send
) -> None:
    beginnings = Beginnings()
    await send(*"abcdefgh")
    async with theirs(infrastructure, group, beginnings.handle):
        await beginnings.saw(8)
        assert _alive(ConsumerRecord, group.topic) >= 8
    await cancel(beginnings.begun)


async def test_nothing_that_a_batch_begins_keeps_its_records(
    infrastructure: Infrastructure, group: Group, send: Send
) -> None:
    beginnings = Beginnings()
    async with ours(infrastructure, group, beginnings.process, max_records=1):
        await send(*"abcdefgh")
        await beginnings.saw(8)
        await group.reaches(p0=8)
        assert _alive(RawRecord, group.topic) <= 2, "the one in hand"
    await cancel(beginnings.begun)
