"""Refused records in the collection `quarantine`. Every write is harmless to repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bson import Binary
from pymongo import ASCENDING, DESCENDING, IndexModel

from chassis.mongo import Database, insert_missing
from chassis.rpc import Place
from gateway.partners.quarantine import Quarantined


class MongoQuarantine:
    """Refused records of partners' topics, by position."""

    def __init__(self, database: Database) -> None:
        self._collection = database["quarantine"]

    async def create_indexes(self) -> None:
        order = [("partner", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)]
        await self._collection.create_indexes([IndexModel(order)])

    async def save(self, records: Sequence[Quarantined]) -> None:
        await insert_missing(self._collection, [_quarantined_document(each) for each in records])

    async def of_partner(self, partner: str, *, before: Place | None, limit: int) -> list[Quarantined]:
        """Newest first, by time and id: records of one batch have the same time."""
        where: dict[str, Any] = {"partner": partner}
        if before is not None:
            at, id_ = before
            where["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": id_}}]
        cursor = self._collection.find(where, limit=limit).sort([("at", DESCENDING), ("_id", DESCENDING)])
        return [_quarantined(document) async for document in cursor]

    async def get(self, partner: str, id_: str) -> Quarantined | None:
        document = await self._collection.find_one({"_id": id_, "partner": partner})
        return None if document is None else _quarantined(document)


def _quarantined_document(record: Quarantined) -> dict[str, Any]:
    document = {name: value for name, value in asdict(record).items() if name != "id"}
    headers = [[name, None if value is None else Binary(value)] for name, value in record.headers]
    body = {name: None if document[name] is None else Binary(document[name]) for name in ("key", "value")}
    return {"_id": record.id, **document, **body, "headers": headers, "faults": [dict(each) for each in record.faults]}


def _quarantined(document: Mapping[str, Any]) -> Quarantined:
    fields = {name: value for name, value in document.items() if name != "_id"}
    fields["headers"] = tuple((name, None if value is None else bytes(value)) for name, value in fields["headers"])
    fields["faults"] = tuple(fields["faults"])
    for name in ("key", "value"):
        fields[name] = None if fields[name] is None else bytes(fields[name])
    return Quarantined(id=document["_id"], **fields)
