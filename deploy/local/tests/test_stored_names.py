"""Field names that the database does not accept are detected in every kind of write."""

import os

import pytest
from pymongo import AsyncMongoClient, InsertOne, ReplaceOne, UpdateOne

from launcher.infrastructure import Infrastructure
from launcher.stored_names import StoredNames

GOOD = {"a": {"b-c": [{"d%2Ee": 1}]}}


@pytest.mark.parametrize("bad", [{"a.b": 1}, {"a": [{"b": {"": 1}}]}, {"a": {"$b": 1}}])
async def test_an_unfit_name_is_seen_in_every_write(
    infrastructure: Infrastructure, stored_names: StoredNames, bad: dict[str, object]
) -> None:
    async with AsyncMongoClient[dict[str, object]](infrastructure.mongo_url) as client:
        stored = client[f"names_{os.urandom(4).hex()}"]["tried"]
        for number, document in enumerate((GOOD, bad)):
            await stored.bulk_write([InsertOne({"_id": f"i{number}", "in": document})], ordered=False)
            await stored.bulk_write([ReplaceOne({"_id": f"r{number}"}, {"in": document}, upsert=True)])
            await stored.bulk_write([UpdateOne({"_id": f"u{number}"}, {"$set": {"in.x": document}}, upsert=True)])
            await stored.update_one({"_id": f"p{number}"}, {"$push": {"in": {"$each": [document]}}}, upsert=True)
            assert len(stored_names.take()) == 4 * number
