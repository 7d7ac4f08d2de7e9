"""What a partner writes in a transaction is a fact once it is committed; before, it is no lag and holds nothing up."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from confluent_kafka import Producer
from integration.chassis.consuming import Group, Handled, Send, ours

from chassis.broker.connections import Admin
from chassis.broker.consumer_group import Group as Progress
from chassis.consuming.consumer import Consumer
from chassis.recovery.rereading import read_topics
from chassis.settings import KafkaSettings
from chassis.testing import eventually
from launcher.infrastructure import Infrastructure


class Transactions:
    """A transactional producer of the reference client, one transaction at a time."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "transactional.id": uuid.uuid4().hex, "log_level": 0}
        )

    async def start(self) -> None:
        await asyncio.to_thread(self._producer.init_transactions, 30)

    async def begin(self, *values: str) -> None:
        """Write in a transaction that stays open; the broker has it all."""
        self._producer.begin_transaction()
        for value in values:
            self._producer.produce(self._topic, value.encode(), partition=0)
        assert await asyncio.to_thread(self._producer.flush, 30) == 0

    async def commit(self) -> None:
        await asyncio.to_thread(self._producer.commit_transaction, 30)

    async def abort(self) -> None:
        await asyncio.to_thread(self._producer.abort_transaction, 30)

    async def aborted(self, *values: str) -> None:
        await self.begin(*values)
        await self.abort()

    async def committed(self, *values: str) -> None:
        await self.begin(*values)
        await self.commit()


@pytest.fixture
async def transactions(infrastructure: Infrastructure, topic: str) -> Transactions:
    made = Transactions(infrastructure.bootstrap_servers, topic)
    await made.start()
    return made


@pytest.fixture
async def progress(infrastructure: Infrastructure, group: Group) -> AsyncIterator[Progress]:
    """What timers ask before a deadline fires."""
    settings = KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers)
    admin = Admin(settings)
    found = Progress(settings, admin, group.name, [group.topic])
    yield found
    await found.stop()
    await admin.stop()


async def _everything_is_read(consumer: Consumer, progress: Progress) -> None:
    """The group stands at the ends, nothing is late, and nobody thinks that the consumer hangs."""
    ends = await progress.ends()

    async def reached() -> bool:
        return await progress.reached(ends)

    async def told() -> bool:
        return consumer._lag.records == 0

    await eventually(reached, within_seconds=20)
    await eventually(told, within_seconds=20)
    assert consumer.assigned
    assert consumer.stalled() is None


async def test_aborted_and_open_transactions_are_no_facts(
    infrastructure: Infrastructure, group: Group, send: Send, transactions: Transactions, progress: Progress
) -> None:
    handled = Handled()
    await send("a")
    await transactions.aborted("never-1", "never-2")
    await transactions.committed("b", "c")
    await transactions.begin("open")
    async with ours(infrastructure, group, handled.process) as consumer:
        await handled.has("a", "b", "c")
        await _everything_is_read(consumer, progress)
        assert handled.values == ["a", "b", "c"]
        await transactions.commit()
        await handled.has("a", "b", "c", "open")
        await _everything_is_read(consumer, progress)


async def _aborted(transactions: Transactions) -> None:
    await transactions.aborted("never")


async def _open(transactions: Transactions) -> None:
    await transactions.begin("open")


async def _aborted_and_open(transactions: Transactions) -> None:
    await transactions.aborted("never")
    await transactions.begin("open")


@pytest.mark.parametrize("before", [(), ("a",)], ids=["nothing", "a record"])
@pytest.mark.parametrize("rest", [_aborted, _open, _aborted_and_open])
async def test_a_log_that_ends_in_what_is_no_fact_holds_no_deadline_back_and_is_no_lag(
    infrastructure: Infrastructure,
    group: Group,
    send: Send,
    transactions: Transactions,
    progress: Progress,
    before: tuple[str, ...],
    rest: Callable[[Transactions], Any],
) -> None:
    handled = Handled()
    await send(*before)
    await rest(transactions)
    async with ours(infrastructure, group, handled.process) as consumer:
        await handled.has(*before)
        await _everything_is_read(consumer, progress)
        await transactions.aborted("never") if rest is _aborted else await transactions.abort()
        await _everything_is_read(consumer, progress)
        await send("after")
        await handled.has(*before, "after")


async def test_what_is_passed_is_not_read_again_and_what_failed_is_not_passed(
    infrastructure: Infrastructure, group: Group, send: Send, transactions: Transactions, progress: Progress
) -> None:
    handled = Handled()
    handled.failing = True
    await transactions.committed("a")
    await transactions.aborted("never")
    async with ours(infrastructure, group, handled.process) as consumer:
        await handled.tried(3)
        assert not await progress.reached(await progress.ends())
        handled.failing = False
        await handled.has("a")
        await _everything_is_read(consumer, progress)
    async with ours(infrastructure, group, handled.process) as consumer:
        await send("b")
        await handled.has("a", "b")
        await _everything_is_read(consumer, progress)
    assert handled.values == ["a", "b"]


async def test_a_rebuild_folds_what_was_committed_and_ends(
    infrastructure: Infrastructure, topic: str, send: Send, transactions: Transactions
) -> None:
    await transactions.committed("a")
    await transactions.aborted("never")
    await send("b")
    await transactions.begin("open")
    settings = KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers)
    read: list[bytes | None] = []
    async with asyncio.timeout(60):
        async for records in read_topics(settings, [topic]):
            read += [record.value for record in records]
    assert read == [b"a", b"b"]
