"""The two contenders that process the same orders: the toy service on the platform, and the floor.

Each is a process with its own topics and database. A turn publishes an order book at once and lasts until
the last resulting event is acknowledged. CPU is that of the process, until its outboxes are trimmed and it
is idle.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from chaos.toy.messages import ORDER_PLACED, OrderPlaced
from chaos.toy.stage import Servers, Stage
from pymongo import AsyncMongoClient

from bench.ground import cpu_seconds
from chassis.broker.connections import make_producer
from chassis.consuming.reader import Reader
from chassis.publishing.producer import Message
from chassis.publishing.record_batches import BatchingProducer
from chassis.settings import KafkaSettings
from chassis.testing import eventually
from contracts.envelope import Envelope
from launcher.processes import Child

HOPS = 4
"""Counters after the first: five stages in total."""
ORDERS_PER_COUNTER = 4
PATIENCE_SECONDS = 300.0
LOOK_SECONDS = 0.02
"""Polling interval for the end of a turn, and so the precision of its duration."""

_TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Turn:
    """One processed order book."""

    steps: int
    seconds: float
    cpu_seconds: float

    @property
    def steps_per_second(self) -> float:
        return self.steps / self.seconds

    @property
    def cpu_ms_per_step(self) -> float:
        return self.cpu_seconds * 1000 / self.steps


class Contender:
    """A process that handles orders, and its stage (topics and database)."""

    def __init__(self, kind: str, stage: Stage, child: Child, producer: BatchingProducer, observer: Reader) -> None:
        self.kind = kind
        self.stage = stage
        self.child = child
        self._producer = producer
        self._observer = observer

    async def turn(self, book: "Book") -> Turn:
        """Process an order book.

        Raises:
            AssertionError: it took too long, or not every step was counted.
        """
        assert self.child.pid is not None, self.child.last_words()
        counted, wanted = await self._counted(), await self._published() + book.steps
        cpu, begun = cpu_seconds(self.child.pid), time.monotonic()
        await self._give(book)
        await eventually(lambda: self._reached(wanted), within_seconds=PATIENCE_SECONDS, every_seconds=LOOK_SECONDS)
        seconds = time.monotonic() - begun
        await eventually(self._trimmed, within_seconds=PATIENCE_SECONDS, every_seconds=0.2)
        spent = cpu_seconds(self.child.pid) - cpu
        # A fast but wrong result is not a figure.
        assert await self._counted() - counted == book.steps, f"{self.child.name} lost or repeated something"
        return Turn(book.steps, seconds, spent)

    async def _give(self, book: "Book") -> None:
        """Publish all orders in one batch per partition: in several batches, it would depend on chance which steps of
        a counter are saved together, and so how much work there is."""
        answers: list[asyncio.Future[None]] = []

        def given(answer: asyncio.Future[None], error: BaseException | None) -> None:
            answer.set_exception(error) if error else answer.set_result(None)

        for key, value, headers in book.records:
            answers.append(answer := asyncio.get_running_loop().create_future())
            self._producer.send(self.stage.orders.name, key, [Message(value, headers)], partial(given, answer))
        await asyncio.gather(*answers)

    async def _reached(self, wanted: int) -> bool:
        assert self.child.alive, self.child.last_words()
        return await self._published() >= wanted

    async def _published(self) -> int:
        topic = self.stage.events.name
        partitions = [TopicPartition(topic, number) for number in self._observer.partitions_for_topic(topic) or ()]
        return sum((await self._observer.end_offsets(partitions)).values())

    async def _trimmed(self) -> bool:
        async with AsyncMongoClient[dict[str, Any]](self.stage.servers.mongo) as client:
            unsent = await client[self.stage.name]["counters"].count_documents({"outbox.time": {"$exists": True}})
        return not unsent

    async def _counted(self) -> int:
        """The sum of all counters: every step adds one."""
        total = "$state.total" if self.kind == "core" else "$total"
        async with AsyncMongoClient[dict[str, Any]](self.stage.servers.mongo) as client:
            counters = client[self.stage.name]["counters"]
            found = await counters.aggregate([{"$group": {"_id": None, "all": {"$sum": total}}}])
            return sum([each["all"] async for each in found])


@dataclass(frozen=True, slots=True)
class Book:
    """Order records, and the number of steps that result."""

    records: Sequence[tuple[bytes, bytes, list[tuple[str, bytes]]]]
    steps: int


def order_book(name: str, orders: int, *, hops: int = HOPS, counters: Sequence[str] = ()) -> Book:
    """Orders of one unit each; by default distributed over a quarter as many chains of new counters."""
    chosen = counters or [f"{name}-{number}" for number in range(max(1, orders // ORDERS_PER_COUNTER))]
    records = [_order(name, number, chosen[number % len(chosen)], hops) for number in range(orders)]
    return Book(records, orders * (hops + 1))


def _order(name: str, number: int, counter: str, hops: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    key = f"K{counter}"
    payload = OrderPlaced(number=f"{name}-{number}", counters=(counter,), amount=1, key=key, hops=hops)
    envelope = Envelope(
        id=f"order-{name}-{number}/0.1",
        source="/trade/bench",
        type=ORDER_PLACED,
        time=datetime.now(UTC),
        subject=f"order-{name}-{number}",
        sequence=1,
        partitionkey=key,
        causationid="bench",
        actor="service:bench",
        trace={"traceparent": f"00-{number + 1:032x}-{number + 1:016x}-01"},
    )
    return key.encode(), payload.model_dump_json().encode(), envelope.headers()


@asynccontextmanager
async def contenders(servers: Servers, folder: Path, wanted: Mapping[str, str]) -> AsyncIterator[dict[str, Contender]]:
    """Start the wanted contenders (name → `core` or `floor`), each on its own stage."""
    stages: list[Stage] = []
    children: list[Child] = []
    producer = make_producer(KafkaSettings(bootstrap_servers=servers.kafka))
    await producer.start()
    observers: list[Reader] = []
    try:
        made: dict[str, Contender] = {}
        for name, kind in wanted.items():
            stage = Stage(servers, folder / name, f"bench{name}")
            stages.append(stage)
            await stage.prepare()
            child = await _started(stage, kind)
            children.append(child)
            observer = Reader(stage.events.name, bootstrap_servers=servers.kafka, group_id=None)
            observers.append(observer)
            await observer.start()
            made[name] = Contender(kind, stage, child, producer, observer)
        yield made
    finally:
        await asyncio.gather(producer.stop(), *(each.stop() for each in observers))
        for child in children:
            await child.stop()
        for stage in stages:
            await stage.stop()


async def _started(stage: Stage, kind: str) -> Child:
    if kind == "core":
        # As in production: a member is not removed from the group after a short pause.
        settings = {"KAFKA__SESSION_TIMEOUT_MS": "30000"}
        replica = stage.replica(settings=settings)
        await replica.start()
        return replica.child
    where = [stage.servers.kafka, stage.servers.mongo, stage.name, stage.orders.name, stage.events.name]
    environment = {**os.environ, "PYTHONPATH": str(_TESTS), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "bench.floor", *where]
    child = Child(f"bench/{kind}", command, log=stage.folder / "floor.log", environment=environment)
    child.start()
    return child
