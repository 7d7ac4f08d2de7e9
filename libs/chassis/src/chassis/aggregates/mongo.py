"""Aggregate documents in MongoDB: one round trip to load a batch, one to save it.

A save is a compare-and-set on `version`. It sets only changed fields that this release owns: fields that a newer
release added stay. It uses no transaction, so it works on a single server, a replica set and a sharded cluster.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from chassis.aggregates.change import Change
from chassis.aggregates.document import Document
from chassis.aggregates.model import AggregateType, DocumentTooLarge
from chassis.aggregates.store import Unsent
from chassis.failpoints import passage

MAX_OUTBOX_CHARACTERS = 12_000_000
"""Below the database's document limit of 16 MiB, which leaves room for the other fields."""

TRIM_AT_ONCE = 25
"""Documents that one statement trims: the embedded server compares each document with every id in the statement."""

TRIMS_AT_ONCE = 8
"""Statements per command: after a flood, thousands of documents need trimming at once, and a command that runs into
the driver's time-out would be retried from its beginning, for ever."""

_DUPLICATE_KEY = 11000


def indexes_of(type_: AggregateType[Any, Any, Any]) -> list[IndexModel]:
    """Indexes for unsent events and, if the type has them, for deadlines and pending work.

    Each index costs time on every save, also of documents that it does not contain.
    """
    found = [IndexModel([("outbox.time", ASCENDING)], sparse=True)]
    if type_.has_deadlines:
        found.append(IndexModel([("due_at", ASCENDING)], sparse=True))
    if type_.has_pending_work:
        found.append(IndexModel([("try_after", ASCENDING)], sparse=True))
    return [*found, *type_.indexes]


class MongoDocuments:
    """The real store."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self.collection = collection
        self.history = collection.database[f"{collection.name}_history"]

    async def create_indexes(self, type_: AggregateType[Any, Any, Any]) -> None:
        """Create missing indexes; idempotent."""
        await self.collection.create_indexes(indexes_of(type_))
        await self.history.create_indexes([IndexModel([("of", ASCENDING), ("number", ASCENDING)])])

    async def load(self, ids: Sequence[str]) -> dict[str, Document]:
        found = await self.collection.find({"_id": {"$in": list(ids)}}).to_list()
        return {document["_id"]: document for document in found}

    async def save(self, changes: Sequence[Change], token: str) -> set[str]:
        if not changes:
            return set()
        for change in changes:
            _check_size(change)
        operations = [_insert(change) if change.expected_version == 0 else _update(change) for change in changes]
        ids = {change.id for change in changes}
        try:
            result = await self.collection.bulk_write(operations, ordered=False)
            if result.inserted_count + result.matched_count == len(operations):
                return ids
        except BulkWriteError as error:
            # A lost race is an error for an insert, but only a lower count for an update.
            if any(each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise
            if error.details.get("writeConcernErrors"):
                raise
        return await self._proven(ids, token)

    async def _proven(self, ids: set[str], token: str) -> set[str]:
        """Those of `ids` whose history carries the token: the count does not say which ones are missing."""
        query = {"_id": {"$in": sorted(ids)}, "history.token": token}
        return {document["_id"] async for document in self.collection.find(query, {"_id": 1})}

    async def find(
        self,
        where: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
        fields: Sequence[str] = (),
    ) -> list[Document]:
        cursor = self.collection.find(where, dict.fromkeys(fields, 1) or None, limit=limit)
        return await (cursor.sort(list(sort)) if sort else cursor).to_list()

    async def older_causes(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
        keys = [_line_key(id_, cause) for id_, causes in wanted.items() for cause in causes]
        found: dict[str, dict[str, str]] = {}
        async for each in self.history.find({"_id": {"$in": keys}}):
            found.setdefault(each["of"], {})[each["line"]["cause"]] = each["line"]["hash"]
        return found

    async def move_history(self, id_: str, keep: int) -> None:
        document = await self.collection.find_one({"_id": id_}, {"version": 1, "history": 1, "moved": 1})
        if document is None or len(document["history"]) <= keep:
            return
        cut, kept = document["history"][:-keep], document["history"][-keep:]
        moved = document.get("moved", 0)
        copies: list[ReplaceOne[Document]] = []
        for number, line in enumerate(cut, start=moved):
            copy = {"_id": _line_key(id_, line["cause"]), "of": id_, "number": number, "line": line}
            copies.append(ReplaceOne({"_id": copy["_id"]}, copy, upsert=True))
        await self.history.bulk_write(copies, ordered=False)
        passage("history.copied")
        # Losing this race is harmless: the next attempt overwrites the copies.
        await self.collection.update_one(
            {"_id": id_, "version": document["version"]},
            {"$set": {"history": kept, "moved": moved + len(cut)}, "$inc": {"version": 1}},
        )

    async def trim(self, acknowledged: Mapping[str, int]) -> None:
        by_seq: dict[int, list[str]] = {}
        for id_, seq in acknowledged.items():
            by_seq.setdefault(seq, []).append(id_)
        # Most documents end at the same few sequence numbers, so a few statements trim them all.
        trims = [
            UpdateMany(
                {"_id": {"$in": ids[start : start + TRIM_AT_ONCE]}}, {"$pull": {"outbox": {"seq": {"$lte": seq}}}}
            )
            for seq, ids in by_seq.items()
            for start in range(0, len(ids), TRIM_AT_ONCE)
        ]
        for start in range(0, len(trims), TRIMS_AT_ONCE):
            await self.collection.bulk_write(trims[start : start + TRIMS_AT_ONCE], ordered=False)

    async def unsent(self, older_than: datetime, limit: int) -> list[Unsent]:
        cursor = self.collection.find({"outbox.time": {"$lt": older_than}}, {"key": 1, "outbox": 1}, limit=limit)
        return [Unsent(document["_id"], document["key"], document["outbox"]) async for document in cursor]


def _line_key(id_: str, cause: str) -> str:
    return f"{id_}|{cause}"


def _insert(change: Change) -> InsertOne[Document]:
    document: Document = {
        "_id": change.id,
        **change.plain,
        "version": 1,
        "seq": change.seq,
        "state": None if change.fields is None else dict(change.fields),
        "history": change.lines,
        "outbox": change.outbox,
    }
    return InsertOne(document)


def _update(change: Change) -> UpdateOne:
    values: Document = {"version": change.expected_version + 1, "seq": change.seq, "outbox": change.outbox}
    if change.fields is not None and change.first_state:
        values["state"] = dict(change.fields)
    elif change.fields is not None:
        values |= {f"state.{name}": value for name, value in change.changed_fields.items()}
    # Unchanged fields are not written: the database checks every written name against all indexes.
    before = change.plain_before
    values |= {name: value for name, value in change.plain.items() if before.get(name) != value}
    absent = {name: "" for name in before if name not in change.plain}
    update: dict[str, Any] = {"$set": values}
    if change.history is None:
        update["$push"] = {"history": {"$each": change.lines}}
    else:
        values["history"] = change.history
    if absent:
        update["$unset"] = absent
    return UpdateOne({"_id": change.id, "version": change.expected_version}, update)


def _check_size(change: Change) -> None:
    """Refuse a too large outbox. No other field is normally large; if one is, the driver or the database refuses that
    write alone. Encoding each write twice to measure it would cost more than the rest of the save."""
    size = sum(len(entry["data"]) for entry in change.outbox)
    if size > MAX_OUTBOX_CHARACTERS:
        raise DocumentTooLarge(f"the outbox of {change.id} has {size} characters, the limit is {MAX_OUTBOX_CHARACTERS}")
