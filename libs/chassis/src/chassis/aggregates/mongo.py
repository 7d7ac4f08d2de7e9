"""Aggregate documents in MongoDB: one round trip to load a batch, one to save it.

A save is a compare-and-set on `version`, and sets only the fields that this release owns and that
changed: what a newer release added stays. No transaction, so it works on a single server, a
replica set and a sharded cluster alike.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from chassis.aggregates.change import Change
from chassis.aggregates.document import Document
from chassis.aggregates.documents import Unsent
from chassis.aggregates.model import AggregateType, DocumentTooLarge
from chassis.failpoints import passage

MAX_OUTBOX_CHARACTERS = 12_000_000
"""Below the database's 16 MiB for a document, so that there is room for the rest of it."""

TRIM_AT_ONCE = 25
"""Documents that one statement trims: the embedded server compares each of them with every id that is named."""

TRIMS_AT_ONCE = 8
"""Statements of one command: after a flood thousands of documents are quiet at once. A command that takes longer than
the driver waits would be sent again from its beginning, for ever."""

_DUPLICATE_KEY = 11000


def indexes_of(type_: AggregateType[Any, Any, Any]) -> list[IndexModel]:
    """Unsent events, and where the type has them deadlines and pending work, are each found without a scan.

    Each index costs every save of a document, also of one that has nothing to do with it.
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
        """Create what is missing; harmless to repeat."""
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
            # A lost race for an insert is an error, a lost race for an update is only a missing count.
            if any(each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise
            if error.details.get("writeConcernErrors"):
                raise
        return await self._proven(ids, token)

    async def _proven(self, ids: set[str], token: str) -> set[str]:
        """Those of `ids` whose history carries the token: a count does not say which ones it misses."""
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
        # Losing this race is harmless: the copies are replaced by the next attempt.
        await self.collection.update_one(
            {"_id": id_, "version": document["version"]},
            {"$set": {"history": kept, "moved": moved + len(cut)}, "$inc": {"version": 1}},
        )

    async def trim(self, acknowledged: Mapping[str, int]) -> None:
        by_seq: dict[int, list[str]] = {}
        for id_, seq in acknowledged.items():
            by_seq.setdefault(seq, []).append(id_)
        # Most documents are quiet after the same few events: few statements for all of those.
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
    # What stays the same is not written: the database would take every name through all its indexes.
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
    """Refuse an outbox that has no room. Nothing else of a write can be large; what is all the same, the driver and
    the database refuse, and it fails alone: to encode each write twice only to see it costs more than all of this."""
    size = sum(len(entry["data"]) for entry in change.outbox)
    if size > MAX_OUTBOX_CHARACTERS:
        raise DocumentTooLarge(f"{change.id} has {size} characters to be sent, the limit is {MAX_OUTBOX_CHARACTERS}")
