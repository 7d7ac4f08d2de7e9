"""One process per instance name: the one started last keeps it, and the other finds out."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from chassis import mongo
from chassis.clock import SystemClock
from chassis.recovery import instances
from chassis.recovery.instances import InstanceName
from chassis.settings import MongoSettings
from launcher.infrastructure import Infrastructure


@pytest.fixture
async def db(infrastructure: Infrastructure) -> AsyncIterator[mongo.Database]:
    client = mongo.connect(MongoSettings.model_validate({"url": infrastructure.mongo_url}))
    yield mongo.open_database(client, f"instances-{uuid.uuid4().hex[:8]}")
    await client.close()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "INTERVAL_SECONDS", 0.05)


async def test_the_older_process_learns_that_its_name_is_taken(db: mongo.Database) -> None:
    older, newer = InstanceName(db, "a", SystemClock()), InstanceName(db, "a", SystemClock())
    await older.take()
    await newer.take()
    async with asyncio.timeout(10):
        await older.until_lost()
    assert older.lost is not None and "another process has taken the instance name a" in older.lost
    await newer._look()
    assert newer.lost is None


async def test_other_names_and_an_emptied_database_take_nothing_away(db: mongo.Database) -> None:
    here, beside = InstanceName(db, "a", SystemClock()), InstanceName(db, "b", SystemClock())
    await here.take()
    await beside.take()
    await db["instances"].drop()
    await here._look()
    await here._look()
    assert here.lost is None
