"""Breaks of what is kept: identity, compare-and-set, histories, the rebuild."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from chaos.simulation.plants.pieces import Pieces
from chaos.simulation.scenario import Scenario
from pymongo.errors import BulkWriteError

from chassis.aggregates import MongoDocuments, apply
from chassis.aggregates import mongo as documents_in_mongo
from chassis.aggregates.change import write
from chassis.aggregates.document import Document, Loaded, read
from chassis.aggregates.recent import Recent
from chassis.mongo import insert_missing
from chassis.recovery.rebuild import Rebuild


class Watermark(dict[str, str]):
    """Takes whatever is older than the newest for known."""

    def __contains__(self, cause: object) -> bool:
        return super().__contains__(cause) or 0 < _number(cause) < max(map(_number, self), default=0)

    def __missing__(self, cause: str) -> str:
        return ""


def _number(cause: object) -> int:
    text = str(cause).removeprefix("order-").partition("/")[0]
    return int(text) if text.isdigit() else 0


def read_with(causes: Callable[[dict[str, str]], dict[str, str]]) -> Pieces:
    def reads(type_: Any, id_: str, document: Document | None) -> Loaded[Any]:
        loaded = read(type_, id_, document)
        loaded.causes = causes(loaded.causes)
        return loaded

    return [(apply, "read", reads)]


def save_without_compare() -> Pieces:
    update = documents_in_mongo._update

    def without(change: Any) -> Any:
        made = update(change)
        made._filter = {"_id": change.id}
        return made

    return [(documents_in_mongo, "_update", without)]


def token_ignored() -> Pieces:
    async def whatever_is_there(self: MongoDocuments, ids: set[str], token: str) -> set[str]:
        return set(await self.load(sorted(ids)))

    return [(MongoDocuments, "_proven", whatever_is_there)]


def count_trusted() -> Pieces:
    async def saves(self: MongoDocuments, changes: Sequence[Any], token: str) -> set[str]:
        if changes:
            operations = [
                documents_in_mongo._insert(each) if each.expected_version == 0 else documents_in_mongo._update(each)
                for each in changes
            ]
            try:
                result = await self.collection.bulk_write(operations, ordered=False)
            except BulkWriteError:
                return await self._proven({each.id for each in changes}, token)
            some = result.inserted_count + result.matched_count  # the first so many, as if they came in order
            return {each.id for each in changes[: max(1, some)]}
        return set()

    return [(MongoDocuments, "save", saves)]


def state_not_saved() -> Pieces:
    def without(type_: Any, loaded: Loaded[Any], acknowledged: int) -> Any:
        return write(type_, loaded, acknowledged)._replace(changed_fields={})

    return [(apply, "write", without)]


def remembered_unsaved() -> Pieces:
    def keeps(self: Any, targets: Iterable[str]) -> dict[str, Loaded[Any]]:
        found: dict[str, Loaded[Any]] = {target: self.kept[target] for target in targets if target in self.kept}
        for loaded in found.values():
            loaded.new_lines, loaded.new_entries = [], []  # whatever became of them
        return found

    return [(Recent, "take", keeps)]


def cut_before_copy() -> Pieces:
    async def cuts_first(self: MongoDocuments, id_: str, keep: int) -> None:
        document = await self.collection.find_one({"_id": id_})
        if document is None or len(document["history"]) <= keep:
            return
        cut, kept, moved = document["history"][:-keep], document["history"][-keep:], document.get("moved", 0)
        await self.collection.update_one(
            {"_id": id_, "version": document["version"]},
            {"$set": {"history": kept, "moved": moved + len(cut)}, "$inc": {"version": 1}},
        )
        await insert_missing(
            self.history,
            [
                {"_id": f"{id_}|{line['cause']}", "of": id_, "number": number, "line": line}
                for number, line in enumerate(cut, start=moved)
            ],
        )

    return [(MongoDocuments, "move_history", cuts_first)]


def nothing_folded() -> Pieces:
    async def nothing(self: Rebuild, records: Any) -> None: ...

    return [(Rebuild, "fold", nothing)]


def inputs_not_read_again() -> Pieces:
    return [(Scenario, "rewind", lambda self: None)]
