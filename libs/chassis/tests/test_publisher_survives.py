"""The publisher survives any failure on the way to Kafka, and gives up no document because of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from tallies import TALLY, TOPIC, add

from chassis.aggregates import Aggregates
from chassis.clock import SystemClock
from chassis.publishing.producer import Heard, Message
from chassis.publishing.publisher import Publisher
from chassis.testing import MemoryDocuments, eventually


async def _nothing() -> None: ...


class Producer:
    """A producer in which every step may fail."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def start(self) -> None:
        await self._world.start()

    async def stop(self) -> None:
        await self._world.stop()

    def send(self, topic: str, key: bytes, messages: Sequence[Message], heard: Heard, *, alone: bool = False) -> None:
        ids = [dict(headers)["ce_id"].decode() for _, headers in messages]
        for id_ in ids:
            if error := self._world.refusal(id_):
                raise error
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sent.add_done_callback(lambda told: heard(told.exception()))
        self._world.wire += [(id_, key.decode()) for id_ in ids]
        self._world.pending.append(sent)
        if not self._world.held:
            self._world.release()


class World:
    def __init__(self) -> None:
        self.wire: list[tuple[str, str]] = []
        self.pending: list[asyncio.Future[Any]] = []
        self.held = False
        self.start: Callable[[], Awaitable[None]] = _nothing
        self.stop: Callable[[], Awaitable[None]] = _nothing
        self.refusal: Callable[[str], Exception | None] = lambda _: None
        self.publisher = Publisher(lambda: Producer(self), SystemClock(), source="/trade/tests")

    def release(self) -> None:
        self.held = False
        for each in self.pending:
            if not each.done():
                each.set_result(None)

    def aggregates(self) -> Aggregates[Any, Any, Any]:
        type_ = replace(TALLY, key=lambda state: f"key-{state.total}")
        return Aggregates(type_, MemoryDocuments(), self.publisher, SystemClock(), topic=TOPIC.name)

    async def sent(self, *ids: str) -> None:
        async def all_there() -> bool:
            return [id_ for id_, _ in self.wire] == list(ids) and self.publisher.unsent == 0

        await eventually(all_there, within_seconds=8)


@pytest.fixture
async def world() -> Any:
    world = World()
    await world.publisher.start()
    yield world
    world.release()
    await world.publisher.stop(0.2)


async def test_each_event_keeps_the_key_that_it_was_decided_under(world: World) -> None:
    world.held = True
    tallies = world.aggregates()
    await tallies.apply_one(add("A", "c-1"))
    await tallies.apply_one(add("A", "c-2"))
    world.release()
    await world.sent("A/0.1", "A/0.2")
    assert world.wire == [("A/0.1", "key-1"), ("A/0.2", "key-2")]


async def test_a_producer_that_breaks_while_it_stops_is_replaced(world: World) -> None:
    async def break_() -> None:
        raise RuntimeError("a bug of the library")

    world.stop = break_
    failures = [KafkaConnectionError("wedged")]
    world.refusal = lambda _: failures.pop() if failures else None
    await world.aggregates().apply_one(add("A", "c-1"))
    await world.sent("A/0.1")


async def test_a_producer_that_breaks_while_it_starts_is_replaced(world: World) -> None:
    failures: list[Exception] = [KafkaConnectionError("wedged")]
    world.refusal = lambda _: failures.pop() if failures else None
    bugs = [RuntimeError("a bug of the library")]

    async def break_once() -> None:
        if bugs:
            raise bugs.pop()

    world.start = break_once
    await world.aggregates().apply_one(add("A", "c-1"))
    await world.sent("A/0.1")


async def test_a_producer_that_is_suspected_at_once_again_gives_no_document_up(world: World) -> None:
    failures: list[Exception] = [KafkaConnectionError("away"), KafkaConnectionError("away again")]
    started = asyncio.Event()
    world.start = started.wait  # type: ignore[assignment]
    publisher = Publisher(lambda: Producer(world), SystemClock(), source="/trade/tests")
    world.publisher = publisher
    await publisher.start()
    tallies = world.aggregates()
    world.refusal = lambda _: failures.pop() if failures else None
    await tallies.apply([add("A", "c-1"), add("B", "c-2"), add("C", "c-3")])
    started.set()

    async def all_sent() -> bool:
        return {id_ for id_, _ in world.wire} == {"A/0.1", "B/0.1", "C/0.1"}

    await eventually(all_sent, within_seconds=8)
    await publisher.stop(0.2)


async def test_a_right_that_is_missing_for_a_while_delays_and_gives_no_document_up(world: World) -> None:
    failures = [TopicAuthorizationFailedError()]
    world.refusal = lambda _: failures.pop() if failures else None
    await world.aggregates().apply_one(add("A", "c-1"))
    await world.sent("A/0.1")
