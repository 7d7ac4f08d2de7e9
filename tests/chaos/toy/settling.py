"""The end of a cell: the faults are over; everything that was started is finished and judged."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.judging.verdicts import Verdict, faults_of
from chaos.toy.judging import judge
from chaos.toy.oracle import Oracle
from chaos.toy.stage import Stage
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from chassis.broker.connections import Admin
from chassis.broker.consumer_group import Group
from chassis.settings import KafkaSettings
from chassis.testing import eventually

PATIENCE_SECONDS = 60.0
SOON = timedelta(seconds=5)
"""A deadline within this time would pass while the stage is judged."""


async def settled(
    stage: Stage, oracle: Oracle, *, parked: bool = False, within_seconds: float = PATIENCE_SECONDS
) -> Sequence[Verdict]:
    """Wait until the stage rests, then judge it by every invariant.

    Args:
        parked: whether something may stay parked; what waits for it may wait then.

    Raises:
        AssertionError: it does not come to rest, or an invariant is violated; names it.
    """
    await eventually(lambda: _rests(stage, parked), within_seconds=within_seconds, every_seconds=0.3)
    verdicts = await judge(stage, oracle)
    faults = faults_of(verdicts)
    assert not faults, "\n".join(faults[:20])
    return verdicts


async def all_read(stage: Stage) -> bool:
    """Whether the group has resolved everything on its topics.

    Raises:
        AssertionError: records wait.
    """
    async with group_of(stage) as group:
        assert await group.reached(await group.ends()), "records wait"
    return True


async def _rests(stage: Stage, parked: bool) -> bool:
    """Whether everything was read, nothing is due, nothing is unsent: checked in the direction in which work moves.

    What is read or due becomes an unsent event, and an unsent event becomes a record: if no record arrived meanwhile,
    the checks cannot have missed anything.

    Raises:
        AssertionError: something still waits; names it.
    """
    async with group_of(stage) as group, AsyncMongoClient[Any](stage.servers.mongo, tz_aware=True) as client:
        ends = await group.ends()
        assert await group.reached(ends), "records wait"
        await _nothing_waits(client[stage.name], parked)
        for name in ("counters", "letters"):
            unsent = await client[stage.name][name].count_documents({"outbox.time": {"$exists": True}})
            assert not unsent, f"{unsent} documents of {name} have unsent events"
        assert await group.ends() == ends, "records came meanwhile"
    return True


async def _nothing_waits(database: AsyncDatabase[Any], parked: bool) -> None:
    soon = datetime.now(UTC) + SOON
    locked = [lock["_id"] async for lock in database["locks"].find()]
    assert parked or not locked, f"{locked} are parked"
    free = {"_id": {"$nin": locked}}
    due = await database["counters"].count_documents({"due_at": {"$lte": soon}, **free})
    asking = await database["counters"].count_documents({"try_after": {"$exists": True}, **free})
    unwritten = await database["letters"].count_documents({"due_at": {"$exists": True}, **free})
    assert not (due or asking or unwritten), f"{due} bills, {asking} questions, {unwritten} letters wait"


@asynccontextmanager
async def group_of(stage: Stage) -> AsyncIterator[Group]:
    """The toy's consumer group, from outside."""
    settings = KafkaSettings(bootstrap_servers=stage.servers.kafka)
    admin = Admin(settings)
    group = Group(settings, admin, stage.name, [stage.orders.name, stage.events.name])
    try:
        yield group
    finally:
        await group.stop()
        await admin.stop()
