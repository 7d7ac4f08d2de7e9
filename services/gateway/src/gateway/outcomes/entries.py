"""What others have told of one thing, entry by entry: a document each, so that to keep one is one insert.

A document is `{_id: <thing>|<event>, of: <thing>, <field of the entry> …}`. What a former release kept as a list
in the thing's own document is read as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel

from chassis.aggregates import escaped, unescaped
from chassis.mongo import Database, insert_missing


class Entries:
    """The entries of one collection; each is known by its thing and its `event`."""

    def __init__(self, database: Database, collection: str, former_list: str) -> None:
        self._collection = database[collection]
        self._former_list = former_list

    async def create_indexes(self) -> None:
        """Create what is missing; harmless to repeat."""
        await self._collection.create_indexes([IndexModel([("of", ASCENDING)], sparse=True)])

    async def add(self, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Keep entries by the id of their thing; one that is there stays as it is."""
        await insert_missing(
            self._collection, [{**escaped(entry), "_id": f"{of}|{entry['event']}", "of": of} for of, entry in entries]
        )

    async def about(self, thing: str) -> list[dict[str, Any]]:
        """The entries of a thing, each once, the earliest told first."""
        former = await self._collection.find_one({"_id": thing}) or {}
        entries = [*former.get(self._former_list, ()), *await self._collection.find({"of": thing}).to_list()]
        found = {
            entry["event"]: unescaped({name: value for name, value in entry.items() if name not in ("_id", "of")})
            for entry in entries
        }
        return sorted(found.values(), key=lambda entry: (entry["at"], entry["sequence"], entry["event"]))
