"""Stores entries about a subject (a declaration, receipt or payment), one document each, so that adding is one insert.

A document is `{_id: <subject>|<event>, of: <subject>, <field of the entry> …}`. Entries that earlier releases stored as
a list in the subject's own document are read as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel

from chassis.aggregates import escaped, unescaped
from chassis.mongo import Database, insert_missing


class Entries:
    """The entries of one collection; each is identified by its subject and its `event`."""

    def __init__(self, database: Database, collection: str, former_list: str) -> None:
        self._collection = database[collection]
        self._former_list = former_list

    async def create_indexes(self) -> None:
        """Create missing indexes; harmless to repeat."""
        await self._collection.create_indexes([IndexModel([("of", ASCENDING)], sparse=True)])

    async def add(self, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Store entries by the id of their subject; existing ones stay unchanged."""
        await insert_missing(
            self._collection, [{**escaped(entry), "_id": f"{of}|{entry['event']}", "of": of} for of, entry in entries]
        )

    async def about(self, thing: str) -> list[dict[str, Any]]:
        """The entries of a subject, without repeats, the earliest event first."""
        former = await self._collection.find_one({"_id": thing}) or {}
        entries = [*former.get(self._former_list, ()), *await self._collection.find({"of": thing}).to_list()]
        found = {
            entry["event"]: unescaped({name: value for name, value in entry.items() if name not in ("_id", "of")})
            for entry in entries
        }
        return sorted(found.values(), key=lambda entry: (entry["at"], entry["sequence"], entry["event"]))
