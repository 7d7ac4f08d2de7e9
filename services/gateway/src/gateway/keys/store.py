"""Keys in the collection `keys`: never deleted, revoked once."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel

from chassis.mongo import Database
from gateway.domain.access import Owner, OwnerKind
from gateway.domain.keys import Key


class MongoKeys:
    """Keys by id. The document records who issued and revoked a key, and when."""

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
        """Revoke a key; one already revoked stays unchanged."""
        change = {"$set": {"revoked_at": at, "revoked_by": by, "revoke_reason": reason}}
        await self._collection.update_one({"_id": id_, "revoked_at": None}, change)
        return await self.get(id_)

    async def page(self, owner: Owner | None, after: str, limit: int) -> list[Key]:
        """Keys in order of id, after `after`."""
        where: dict[str, Any] = {"_id": {"$gt": after}}
        if owner is not None:
            where |= {"owner.kind": str(owner.kind), "owner.code": owner.code}
        return [_key(document) async for document in self._collection.find(where, limit=limit).sort("_id", ASCENDING)]


def _key(document: Mapping[str, Any]) -> Key:
    fields = {name: value for name, value in document.items() if name != "_id"}
    owner = fields.pop("owner")
    fields["scopes"] = tuple(fields["scopes"])
    return Key(id=document["_id"], owner=Owner(OwnerKind(owner["kind"]), owner["code"], owner["role"]), **fields)
