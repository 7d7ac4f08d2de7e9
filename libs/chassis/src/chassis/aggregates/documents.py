"""The port behind which aggregate documents are stored, with one implementation for MongoDB and one in memory.

Both pass the same contract suite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chassis.aggregates.change import Change
from chassis.aggregates.document import Document, OutboxEntry


@dataclass(frozen=True, slots=True)
class Unsent:
    """A document with events that Kafka has not acknowledged."""

    id: str
    key: str
    entries: list[OutboxEntry]


class Documents(Protocol):
    async def load(self, ids: Sequence[str]) -> dict[str, Document]:
        """The stored ones of `ids`, in one round trip."""
        ...

    async def save(self, changes: Sequence[Change], token: str) -> set[str]:
        """Compare-and-set every change, in one round trip; return the ids that are proven saved.

        An id that is missing lost its race. Every history line carries `token`: it proves the own
        save where an answer is lost or a count falls short.
        """
        ...

    async def find(
        self,
        where: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
        fields: Sequence[str] = (),
    ) -> list[Document]:
        """Documents by their fields; 0 is no limit. With `fields` only these and the id are read, by dotted paths."""
        ...

    async def older_causes(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
        """Of the wanted causes per document id those whose lines were moved out of it, with their hashes.

        To be asked after the document was loaded: the other way round, a move in between would hide
        a line from both.
        """
        ...

    async def move_history(self, id_: str, keep: int) -> None:
        """Move all but the latest `keep` lines of a document to the history collection: copied, then cut."""
        ...

    async def trim(self, acknowledged: Mapping[str, int]) -> None:
        """Drop outbox entries up to and including a sequence number, per document id."""
        ...

    async def unsent(self, older_than: datetime, limit: int) -> list[Unsent]:
        """Documents with an outbox entry older than a moment."""
        ...
