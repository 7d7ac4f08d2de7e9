"""The port for storing aggregate documents. Implementations: MongoDB and in memory.

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
        """The stored documents among `ids`, in one round trip."""
        ...

    async def save(self, changes: Sequence[Change], token: str) -> set[str]:
        """Compare-and-set every change, in one round trip; return the ids whose save is proven.

        A missing id lost its race. Every history line carries `token`: it proves our own save if an answer is lost or
        a count falls short.
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
        """Documents that match; limit 0: no limit. With `fields` (dotted paths), only these and the id are read."""
        ...

    async def older_causes(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
        """The wanted causes (per document id) whose lines were moved to the history collection, with their hashes.

        Call it after loading the document: in the other order, a move in between would hide a line from both.
        """
        ...

    async def move_history(self, id_: str, keep: int) -> None:
        """Move all but the latest `keep` lines of a document to the history collection: copy first, then delete."""
        ...

    async def trim(self, acknowledged: Mapping[str, int]) -> None:
        """Delete outbox entries up to and including a sequence number, per document id."""
        ...

    async def unsent(self, older_than: datetime, limit: int) -> list[Unsent]:
        """Documents with an outbox entry older than a moment."""
        ...
