"""The traps of sending with the Kafka libraries, each shown open with the library's default and closed with ours."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from faststream.kafka import KafkaBroker, KafkaPublishMessage
from faststream.kafka.opentelemetry import KafkaTelemetryMiddleware
from opentelemetry.sdk.trace import TracerProvider
from tallies import MOMENT

from chassis.aggregates import OutboxEntry
from chassis.broker.connections import make_producer
from chassis.clock import SystemClock
from chassis.publishing.publisher import Publisher
from chassis.settings import KafkaSettings
from launcher.infrastructure import Infrastructure

# publish_batch sends a whole batch to one random partition, whatever the keys.


async def test_publish_batch_forgets_the_keys_of_its_messages(infrastructure: Infrastructure, topic: str) -> None:
    async with KafkaBroker(infrastructure.bootstrap_servers, logger=None) as broker:
        messages = [KafkaPublishMessage(b"v", key=f"key-{number}".encode()) for number in range(40)]
        await broker.publish_batch(*messages, topic=topic)
    assert len(await _partitions_of(infrastructure, topic, 40)) == 1


async def test_events_of_a_key_share_a_partition_and_keys_spread(infrastructure: Infrastructure, topic: str) -> None:

    publisher = Publisher(
        lambda: make_producer(KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers)),
        SystemClock(),
        source="/trade/tests",
    )
    await publisher.start()
    source = Nowhere(topic)
    for number in range(40):
        publisher.offer(source, f"D{number}", f"key-{number % 20}", [entry(f"D{number}/0.1", {})])
    partitions = await _partitions_of(infrastructure, topic, 40)
    await publisher.stop(5)
    assert len(partitions) > 1
    for number in range(20):
        assert sum(f"key-{number}".encode() in keys for keys in partitions.values()) == 1


def entry(id_: str, trace: Mapping[str, str]) -> OutboxEntry:
    return {
        "seq": 1, "id": id_, "type": "t", "time": MOMENT, "cause": "c", "by": "b", "trace": trace, "data": "{}",
    }  # fmt: skip


class Nowhere:
    """A source that keeps nothing."""

    def __init__(self, topic: str) -> None:
        self.topic = topic

    async def trim(self, acknowledged: Any) -> None: ...

    async def unsent(self, older_than: Any, limit: int) -> list[Any]:
        return []


async def _partitions_of(infrastructure: Infrastructure, topic: str, count: int) -> dict[int, set[bytes | None]]:
    """Per partition the keys of the first `count` records of a topic."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=infrastructure.bootstrap_servers, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    found: dict[int, set[bytes | None]] = {}
    try:
        for _ in range(count):
            record = await asyncio.wait_for(consumer.getone(), 10)
            found.setdefault(record.partition, set()).add(record.key)
    finally:
        await consumer.stop()
    return found


# The built-in telemetry middleware overwrites a given traceparent.

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_the_librarys_telemetry_overwrites_a_given_trace(infrastructure: Infrastructure, topic: str) -> None:

    middleware = KafkaTelemetryMiddleware(tracer_provider=TracerProvider())
    async with KafkaBroker(infrastructure.bootstrap_servers, logger=None, middlewares=[middleware]) as broker:
        await broker.publish(b"v", topic, headers={"traceparent": PARENT})
    assert PARENT.split("-")[1] not in (await _headers(infrastructure, topic))["traceparent"]


async def test_a_stored_trace_and_its_baggage_travel_with_the_event(infrastructure: Infrastructure, topic: str) -> None:

    publisher = Publisher(
        lambda: make_producer(KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers)),
        SystemClock(),
        source="/trade/tests",
    )
    await publisher.start()
    trace = {"traceparent": PARENT, "baggage": "trade.ucr=UCR-1"}
    publisher.offer(Nowhere(topic), "D", "k", [entry("D/0.1", trace)])
    headers = await _headers(infrastructure, topic)
    await publisher.stop(5)
    assert headers["traceparent"].split("-")[1] == PARENT.split("-")[1]
    assert headers["baggage"] == "trade.ucr=UCR-1"


async def _headers(infrastructure: Infrastructure, topic: str) -> dict[str, str]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=infrastructure.bootstrap_servers, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), 10)
    finally:
        await consumer.stop()
    return {name: value.decode() for name, value in record.headers}
