"""Aggregate documents in memory, for tests of handlers. Passes the contract suite of the real store."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from chassis.aggregates.change import Change
from chassis.aggregates.document import PLAIN, Document, HistoryLine
from chassis.aggregates.store import Unsent

_MISSING = object()


def _values(document: Any, path: Sequence[str]) -> Iterable[Any]:
    """The values at a dotted path, looking into lists as the database does."""
    if isinstance(document, list):
        for element in document:
            yield from _values(element, path)
        if not path:
            yield document
    elif not path:
        yield document
    elif isinstance(document, dict) and path[0] in document:
        yield from _values(document[path[0]], path[1:])


def _compare(operator: str, value: Any, operand: Any) -> bool:
    match operator:
        case "$in":
            return value in operand
        case "$nin":
            return value not in operand
        case "$ne":
            return bool(value != operand)
        case "$exists":
            return (value is not _MISSING) == bool(operand)
    if value is _MISSING or value is None:
        return False
    match operator:
        case "$lt":
            return bool(value < operand)
        case "$lte":
            return bool(value <= operand)
        case "$gt":
            return bool(value > operand)
        case "$gte":
            return bool(value >= operand)
    raise NotImplementedError(f"the in-memory store does not support the operator {operator}")


def _first(path: Sequence[str], document: Document) -> Any:
    """The sort key of a document."""
    return next(iter(_values(document, path)), None)


def matches(document: Document, where: Mapping[str, Any]) -> bool:
    """Whether a document matches a filter of equalities and simple comparisons."""
    for name, condition in where.items():
        if name == "$or":
            if not any(matches(document, each) for each in condition):
                return False
            continue
        values = list(_values(document, name.split("."))) or [_MISSING]
        operators = condition if isinstance(condition, dict) and any(key.startswith("$") for key in condition) else None
        if operators is None:
            wanted = _MISSING if condition is None else condition
            if not any(value == condition or value is wanted for value in values):
                return False
        elif not all(any(_compare(key, value, operand) for value in values) for key, operand in operators.items()):
            return False
    return True


def _only(document: Document, fields: Sequence[str]) -> Document:
    """The id and the values at dotted paths; paths through lists are not supported."""
    kept: Document = {"_id": document["_id"]}
    for path in fields:
        *outer, last = path.split(".")
        source, target = document, kept
        for name in outer:
            source, target = source.get(name) or {}, target.setdefault(name, {})
        if last in source:
            target[last] = source[last]
    return kept


def _state(stored: Document | None, change: Change) -> Document | None:
    """The state after a change, as the database's `$set` leaves it."""
    if change.fields is None or change.first_state or stored is None:
        return None if change.fields is None else dict(change.fields)
    state = copy.deepcopy(stored)
    for path, value in change.changed_fields.items():
        *outer, last = path.split(".")
        inner = state
        for name in outer:
            inner = inner[name]
        inner[last] = value
    return state


class MemoryDocuments:
    """A dictionary behind the `Documents` port."""

    def __init__(self) -> None:
        self.stored: dict[str, Document] = {}
        self.older: dict[str, list[HistoryLine]] = {}

    async def load(self, ids: Sequence[str]) -> dict[str, Document]:
        return {id_: copy.deepcopy(self.stored[id_]) for id_ in ids if id_ in self.stored}

    async def save(self, changes: Sequence[Change], token: str) -> set[str]:  # noqa: ARG002 - proof is not needed here
        saved = set[str]()
        for change in changes:
            present = self.stored.get(change.id)
            if (present["version"] if present else 0) != change.expected_version:
                continue
            document: Document = {
                **{name: value for name, value in (present or {}).items() if name not in PLAIN},
                **change.plain,
                "_id": change.id,
                "version": change.expected_version + 1,
                "seq": change.seq,
                "state": _state((present or {}).get("state"), change),
                "history": change.history or [*(present["history"] if present else []), *change.lines],
                "outbox": change.outbox,
            }
            self.stored[change.id] = copy.deepcopy(document)
            saved.add(change.id)
        return saved

    async def find(
        self,
        where: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
        fields: Sequence[str] = (),
    ) -> list[Document]:
        found = [document for document in self.stored.values() if matches(document, where)]
        for name, direction in reversed(sort):
            path = name.split(".")
            found.sort(key=partial(_first, path), reverse=direction < 0)
        found = found[:limit] if limit else found
        return copy.deepcopy([_only(each, fields) for each in found] if fields else found)

    async def older_causes(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
        return {
            id_: {line["cause"]: line["hash"] for line in self.older.get(id_, ()) if line["cause"] in causes}
            for id_, causes in wanted.items()
        }

    async def move_history(self, id_: str, keep: int) -> None:
        document = self.stored[id_]
        cut = document["history"][:-keep]
        self.older.setdefault(id_, []).extend(cut)
        document["history"] = document["history"][-keep:]
        document["moved"] = document.get("moved", 0) + len(cut)
        document["version"] += 1

    async def trim(self, acknowledged: Mapping[str, int]) -> None:
        for id_, seq in acknowledged.items():
            if id_ in self.stored:
                self.stored[id_]["outbox"] = [entry for entry in self.stored[id_]["outbox"] if entry["seq"] > seq]

    async def unsent(self, older_than: datetime, limit: int) -> list[Unsent]:
        return [
            Unsent(id_, document["key"], copy.deepcopy(document["outbox"]))
            for id_, document in self.stored.items()
            if any(entry["time"] < older_than for entry in document["outbox"])
        ][:limit]
