"""What the gateway keeps beside its receipts: original bytes, quarantine, keys, and its view of declarations.

Every write is harmless to repeat. Documents are found by `_id` or by an index named here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bson import Binary
from pymongo import ASCENDING, DESCENDING, IndexModel

from chassis.mongo import Database, insert_missing
from chassis.rpc import Place
from gateway.domain.access import Owner, OwnerKind
from gateway.domain.keys import Key
from gateway.domain.outcome import Step
from gateway.outcomes.entries import Entries
from gateway.partners.inbox import Quarantined
from gateway.receipts.keeping import Original


class MongoOriginals:
    """Original bytes by their SHA-256: the same bytes are kept once. Held for ever; personal data stands here."""

    def __init__(self, database: Database) -> None:
        self._collection = database["originals"]

    async def save(self, originals: Sequence[Original]) -> None:
        documents = {
            each.id: {"_id": each.id, "media_type": each.media_type, "body": Binary(each.body)} for each in originals
        }
        await insert_missing(self._collection, list(documents.values()))

    async def get(self, id_: str) -> Original | None:
        document = await self._collection.find_one({"_id": id_})
        return None if document is None else Original(bytes(document["body"]), document["media_type"])


class MongoQuarantine:
    """Bad records of partners' topics, by their position."""

    def __init__(self, database: Database) -> None:
        self._collection = database["quarantine"]

    async def create_indexes(self) -> None:
        order = [("partner", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)]
        await self._collection.create_indexes([IndexModel(order)])

    async def save(self, records: Sequence[Quarantined]) -> None:
        await insert_missing(self._collection, [_quarantined_document(each) for each in records])

    async def of_partner(self, partner: str, *, before: Place | None, limit: int) -> list[Quarantined]:
        """Newest first, by moment and id: records of one batch share their moment."""
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


class MongoKeys:
    """Keys by their id. Issuing and revoking leave who and when in the document."""

    def __init__(self, database: Database) -> None:
        self._collection = database["keys"]

    async def create_indexes(self) -> None:
        await self._collection.create_indexes([IndexModel([("owner.kind", ASCENDING), ("owner.code", ASCENDING)])])

    async def add(self, key: Key) -> None:
        document = asdict(key)
        await self._collection.insert_one({"_id": document.pop("id"), **document, "scopes": list(key.scopes)})

    async def get(self, id_: str) -> Key | None:
        document = await self._collection.find_one({"_id": id_})
        return None if document is None else _key(document)

    async def ids(self) -> frozenset[str]:
        return frozenset([document["_id"] async for document in self._collection.find({}, {"_id": 1})])

    async def revoke(self, id_: str, at: datetime, by: str, reason: str) -> Key | None:
        """End a key; one that was ended before stays as it is."""
        change = {"$set": {"revoked_at": at, "revoked_by": by, "revoke_reason": reason}}
        await self._collection.update_one({"_id": id_, "revoked_at": None}, change)
        return await self.get(id_)

    async def page(self, owner: Owner | None, after: str, limit: int) -> list[Key]:
        """Keys by id, behind `after`."""
        where: dict[str, Any] = {"_id": {"$gt": after}}
        if owner is not None:
            where |= {"owner.kind": str(owner.kind), "owner.code": owner.code}
        return [_key(document) async for document in self._collection.find(where, limit=limit).sort("_id", ASCENDING)]


def _key(document: Mapping[str, Any]) -> Key:
    fields = {name: value for name, value in document.items() if name != "_id"}
    owner = fields.pop("owner")
    fields["scopes"] = tuple(fields["scopes"])
    return Key(id=document["_id"], owner=Owner(OwnerKind(owner["kind"]), owner["code"], owner["role"]), **fields)


class MongoOutcomes:
    """What became of declarations, as far as their owner has told: an entry per event."""

    def __init__(self, database: Database) -> None:
        self._steps = Entries(database, "outcomes", former_list="steps")

    async def create_indexes(self) -> None:
        await self._steps.create_indexes()

    async def note(self, steps: Sequence[tuple[str, Step]]) -> None:
        await self._steps.add([(id_, asdict(step)) for id_, step in steps])

    async def steps(self, declaration_id: str) -> list[Step]:
        """In the order in which the declaration told them."""
        found = [Step(**each) for each in await self._steps.about(declaration_id)]
        return sorted(found, key=lambda step: step.sequence)
