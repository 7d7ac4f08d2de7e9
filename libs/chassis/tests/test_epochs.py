"""Only a rebuild raises an epoch, and nothing lowers it: no event id is used for two contents."""

import uuid
from collections.abc import AsyncIterator

import pytest

from chassis import mongo
from chassis.recovery.epochs import EpochRefused, check_epoch, note_epoch
from chassis.settings import MongoSettings
from launcher.infrastructure import Infrastructure

AGGREGATES = ["tallies"]


@pytest.fixture
async def db(infrastructure: Infrastructure) -> AsyncIterator[mongo.Database]:
    settings = MongoSettings.model_validate({"url": infrastructure.mongo_url})
    client = mongo.connect(settings)
    yield mongo.open_database(client, f"epochs-{uuid.uuid4().hex[:8]}")
    await client.close()


async def test_an_empty_database_begins_under_the_epoch_it_is_given(db: mongo.Database) -> None:
    await check_epoch(db, 2, AGGREGATES)
    await db["tallies"].insert_one({"_id": "T-1"})
    await check_epoch(db, 2, AGGREGATES)


async def test_an_epoch_is_not_raised_over_a_kept_database(db: mongo.Database) -> None:
    await check_epoch(db, 0, AGGREGATES)
    await db["tallies"].insert_one({"_id": "T-1"})
    with pytest.raises(EpochRefused, match="TRADE_EPOCH is 1, but the database has epoch 0"):
        await check_epoch(db, 1, AGGREGATES)
    await check_epoch(db, 0, AGGREGATES)


async def test_a_rebuild_raises_it(db: mongo.Database) -> None:
    await db["tallies"].insert_one({"_id": "T-1"})
    await note_epoch(db, 1)
    await check_epoch(db, 1, AGGREGATES)


async def test_it_is_never_lowered(db: mongo.Database) -> None:
    await note_epoch(db, 1)
    for refused in (check_epoch(db, 0, AGGREGATES), note_epoch(db, 0)):
        with pytest.raises(EpochRefused, match="used again"):
            await refused
