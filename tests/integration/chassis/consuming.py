"""A topic's consumer, ours and the library's as it comes, and what a group has committed."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from faststream.kafka import KafkaBroker

from chassis.clock import SystemClock
from chassis.consuming.consumer import Consumer, Process
from chassis.delivery.records import RawRecord
from chassis.testing import eventually
from launcher.infrastructure import Infrastructure

Send = Callable[..., Awaitable[None]]
"""Values to the topic, in order; by keyword the partition and the headers."""


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
    infrastructure: Infrastructure, group: Group, process: Process, **options: Any
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
