"""What thousands of one partner's records cost another's one record: the batch in hand, whoever came first."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from integration.chassis.consuming import Group, ours

from chassis.delivery.records import RawRecord
from chassis.testing import eventually
from launcher.infrastructure import Infrastructure

FLOOD = 5_000
BATCH = 200
RUBBISH = b"{"


async def _flood(infrastructure: Infrastructure, topic: str, good: Sequence[int]) -> None:
    """Thousands into partition 0 and, behind them, one each into others; everything is there before anybody reads."""
    producer = AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers, linger_ms=20)
    await producer.start()
    try:
        sent = [await producer.send(topic, RUBBISH, partition=0) for _ in range(FLOOD)]
        await asyncio.gather(*sent)
        for partition in good:
            await producer.send_and_wait(topic, b"good", partition=partition)
    finally:
        await producer.stop()


async def test_a_flood_in_one_partition_delays_what_others_have_by_no_more_than_the_batch_in_hand(
    infrastructure: Infrastructure, group: Group
) -> None:
    good = (1, 3, 5)
    await _flood(infrastructure, group.topic, good)
    order: list[int] = []

    async def all_are_fetched() -> bool:
        """Each of the good records was read or waits in the client: how soon the broker sends it is not ours."""
        assert consumer._consumer is not None
        waiting = consumer._consumer._fetcher._records
        return all(number in order or TopicPartition(group.topic, number) in waiting for number in good)

    async def handle(records: Sequence[RawRecord]) -> None:
        order.extend(record.partition for record in records)
        if len(order) == len(records):
            await eventually(all_are_fetched, within_seconds=20)

    async def all_of_them() -> bool:
        return len(order) == FLOOD + 3

    async with ours(infrastructure, group, handle, max_records=BATCH) as consumer:
        await eventually(all_of_them, within_seconds=60)
    for partition in good:
        assert order.index(partition) < BATCH + len(good), f"{order.index(partition)} records came first"


async def test_two_floods_are_read_side_by_side(infrastructure: Infrastructure, group: Group) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers, linger_ms=20)
    await producer.start()
    try:
        sent = [await producer.send(group.topic, RUBBISH, partition=number % 2) for number in range(2 * FLOOD)]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
    order: list[int] = []

    async def handle(records: Sequence[RawRecord]) -> None:
        order.extend(record.partition for record in records)

    async def all_of_them() -> bool:
        return len(order) == 2 * FLOOD

    async with ours(infrastructure, group, handle, max_records=BATCH):
        await eventually(all_of_them, within_seconds=60)
    ahead = max(abs(order[:read].count(0) - order[:read].count(1)) for read in range(0, 2 * FLOOD, BATCH))
    assert ahead <= 3 * BATCH, f"one partition was {ahead} records ahead of the other"
