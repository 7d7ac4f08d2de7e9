"""As much of a MongoDB as the core uses, in memory: one operation on one document is atomic, nothing else is."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.simulation.schedule import Network, Process
from pymongo import InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError

from chassis.aggregates.memory import matches

Document = dict[str, Any]
_DUPLICATE_KEY = 11000


@dataclass
class Server:
    """What is stored; outlives every process."""

    collections: dict[str, dict[str, Document]] = field(default_factory=dict)

    def of(self, name: str) -> dict[str, Document]:
        return self.collections.setdefault(name, {})

    def copy(self) -> dict[str, dict[str, Document]]:
        """All of it, as a backup has it."""
        return _copied(self.collections)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class BulkResult:
    inserted_count: int
    matched_count: int


@dataclass(frozen=True)
class Deleted:
    deleted_count: int


class Database:
    """One process's connection."""

    def __init__(self, server: Server, process: Process, network: Network) -> None:
        self.server, self.process, self.network = server, process, network

    def __getitem__(self, name: str) -> "Collection":
        return Collection(self, name)


class Collection:
    """The methods of pymongo's that the core calls."""

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self.name = name

    async def _call(
        self,
        what: str,
        act: Callable[[dict[str, Document]], Any],
        torn: Callable[[dict[str, Document]], Any] | None = None,
    ) -> Any:
        server, name = self.database.server, self.name
        return await self.database.network.call(
            self.database.process,
            f"{what} {name}",
            lambda: act(server.of(name)),
            AutoReconnect,
            torn=None if torn is None else lambda: torn(server.of(name)),
        )

    def find(self, where: Mapping[str, Any] | None = None, projection: Any = None, limit: int = 0) -> "Cursor":
        return Cursor(self, where or {}, limit)

    async def find_one(self, where: Mapping[str, Any], projection: Any = None) -> Document | None:
        found = await self.find(where, limit=1).to_list()
        return found[0] if found else None

    async def bulk_write(self, operations: Sequence[Any], *, ordered: bool) -> BulkResult:
        chance = random.Random(self.database.network.chance.random())

        def torn(stored: dict[str, Document]) -> None:
            if ordered:
                _bulk(stored, operations[: chance.randint(0, len(operations))], ordered)
            else:
                part = sorted(_single(operations), key=_id_of)
                _bulk(stored, [each for each in part if chance.random() < 0.5], ordered)

        result: BulkResult = await self._call("bulk write", lambda stored: _bulk(stored, operations, ordered), torn)
        return result

    async def update_one(self, where: Mapping[str, Any], update: Mapping[str, Any], *, upsert: bool = False) -> None:
        await self._call("update", lambda stored: _update(stored, where, update, upsert))

    async def replace_one(self, where: Mapping[str, Any], document: Document, *, upsert: bool = False) -> None:
        assert upsert
        await self._call("replace", lambda stored: stored.__setitem__(where["_id"], _copied(document)))

    async def delete_one(self, where: Mapping[str, Any]) -> Deleted:
        def delete(stored: dict[str, Document]) -> Deleted:
            found = next(iter(_found(stored, where)), None)
            if found is not None:
                del stored[found["_id"]]
            return Deleted(int(found is not None))

        deleted: Deleted = await self._call("delete", delete)
        return deleted

    async def count_documents(self, where: Mapping[str, Any]) -> int:
        return len(await self.find(where).to_list())

    async def distinct(self, name: str, where: Mapping[str, Any] | None = None) -> list[Any]:
        return list(dict.fromkeys([each[name] for each in await self.find(where).to_list()]))

    async def insert_one(self, document: Document) -> None:
        await self.bulk_write([InsertOne(document)], ordered=False)


class Cursor:
    def __init__(self, collection: Collection, where: Mapping[str, Any], limit: int) -> None:
        self._collection, self._where, self._limit = collection, where, limit
        self._sort: list[tuple[str, int]] = []
        self._read: Iterator[Document] | None = None

    def sort(self, order: Sequence[tuple[str, int]]) -> "Cursor":
        self._sort = list(order)
        return self

    def limit(self, limit: int) -> "Cursor":
        self._limit = limit
        return self

    async def to_list(self) -> list[Document]:
        def find(stored: dict[str, Document]) -> list[Document]:
            found = list(_found(stored, self._where))
            for name, direction in reversed(self._sort):
                found.sort(key=lambda each: (name in each, each.get(name)), reverse=direction < 0)
            return [_copied(each) for each in (found[: self._limit] if self._limit else found)]

        found: list[Document] = await self._collection._call("find", find)
        return found

    def __aiter__(self) -> "Cursor":
        return self

    async def __anext__(self) -> Document:
        if self._read is None:
            self._read = iter(await self.to_list())
        for each in self._read:
            return each
        raise StopAsyncIteration


def _copied(value: Any) -> Any:
    """A value that shares nothing that can change."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list | tuple) else value


def _found(stored: dict[str, Document], where: Mapping[str, Any]) -> Iterator[Document]:
    id_ = where.get("_id")
    if isinstance(id_, str):
        candidates = [stored[id_]] if id_ in stored else []
    elif isinstance(id_, dict) and "$in" in id_:
        candidates = [stored[each] for each in dict.fromkeys(id_["$in"]) if each in stored]
    else:
        candidates = list(stored.values())
    return (each for each in candidates if matches(each, where))


def _id_of(operation: Any) -> str:
    return str(operation._doc["_id"] if isinstance(operation, InsertOne) else operation._filter["_id"])


def _single(operations: Sequence[Any]) -> Iterator[Any]:
    """Each write by itself: what is cut off may have reached some documents of a statement, and others not."""
    for each in operations:
        if isinstance(each, UpdateMany):
            yield from (UpdateOne({**each._filter, "_id": id_}, each._doc) for id_ in each._filter["_id"]["$in"])
        else:
            yield each


def _bulk(stored: dict[str, Document], operations: Sequence[Any], ordered: bool) -> BulkResult:
    inserted = matched = 0
    errors: list[Document] = []
    for index, each in enumerate(operations):
        if ordered and errors:
            break
        match each:
            case InsertOne() if each._doc["_id"] in stored:
                errors.append({"index": index, "code": _DUPLICATE_KEY})
            case InsertOne():
                stored[each._doc["_id"]] = _copied(each._doc)
                inserted += 1
            case UpdateMany():
                for id_ in [document["_id"] for document in _found(stored, each._filter)]:
                    matched += _update(stored, {**each._filter, "_id": id_}, each._doc, upsert=False)
            case UpdateOne():
                matched += _update(stored, each._filter, each._doc, bool(each._upsert))
            case ReplaceOne():
                stored[each._filter["_id"]] = _copied(each._doc)
                matched += 1
            case _:
                raise NotImplementedError(each)
    if errors:
        raise BulkWriteError({"writeErrors": errors, "writeConcernErrors": []})
    return BulkResult(inserted, matched)


def _update(stored: dict[str, Document], where: Mapping[str, Any], update: Any, upsert: bool) -> int:
    found = next(iter(_found(stored, where)), None)
    inserted = found is None
    if found is None and upsert:
        found = stored.setdefault(where["_id"], {"_id": where["_id"]})
    if found is None:
        return 0
    for operator, values in update.items():
        if operator == "$setOnInsert" and not inserted:
            continue
        for path, value in values.items():
            _change(found, operator, path, value)
    return 1


def _change(document: Document, operator: str, path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        document = document.setdefault(name, {})
    match operator:
        case "$set" | "$setOnInsert":
            document[last] = _copied(value)
        case "$unset":
            document.pop(last, None)
        case "$inc":
            document[last] = document.get(last, 0) + value
        case "$push":
            document.setdefault(last, []).extend(_copied(value["$each"]))
        case "$pull":
            document[last] = [each for each in document.get(last, []) if not matches(each, value)]
        case _:
            raise NotImplementedError(operator)
