"""The ports between stored outboxes and the publisher."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from chassis.aggregates.document import OutboxEntry
from chassis.aggregates.store import Unsent


class Source(Protocol):
    """A collection of documents with outboxes."""

    topic: str

    async def trim(self, acknowledged: Mapping[str, int]) -> None: ...

    async def unsent(self, older_than: timedelta, limit: int) -> list[Unsent]: ...


class Outbox(Protocol):
    """Takes the events of a save for publishing."""

    def offer(self, source: Source, id_: str, key: str, entries: Sequence[OutboxEntry]) -> None: ...

    def acknowledged(self, source: Source, id_: str) -> int: ...
