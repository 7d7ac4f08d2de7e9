"""What tests of services use in place of infrastructure; each stands behind the port of the real one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from chassis.aggregates import Aggregates, AggregateType, MemoryDocuments
from chassis.aggregates.document import OutboxEntry
from chassis.aggregates.documents import Documents
from chassis.aggregates.publishing import Source
from chassis.clock import Clock, ManualClock
from contracts.topics import Topic

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")
T = TypeVar("T")

__all__ = ["ManualClock", "RecordingOutbox", "eventually", "in_memory"]


@dataclass
class RecordingOutbox:
    """Remembers what would be published, once per event, in order; acknowledges nothing."""

    published: list[OutboxEntry] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def offer(self, source: Source, id_: str, key: str, entries: Sequence[OutboxEntry]) -> None:  # noqa: ARG002
        for entry in entries:
            if entry["id"] not in self._seen:
                self._seen.add(entry["id"])
                self.published.append(entry)

    def acknowledged(self, source: Source, id_: str) -> int:  # noqa: ARG002
        return 0

    def types(self) -> list[str]:
        """The types of what was published."""
        return [entry["type"] for entry in self.published]


def in_memory(
    type_: AggregateType[S, C, E],
    *,
    topic: Topic,
    clock: Clock | None = None,
    documents: Documents | None = None,
    outbox: RecordingOutbox | None = None,
) -> tuple[Aggregates[S, C, E], RecordingOutbox]:
    """Aggregates over a dictionary (or over `documents`), with an outbox that remembers."""
    outbox = outbox or RecordingOutbox()
    return (
        Aggregates(type_, documents or MemoryDocuments(), outbox, clock or ManualClock(), topic=topic.name),
        outbox,
    )


async def eventually(
    condition: Callable[[], Awaitable[T]], *, within_seconds: float = 20.0, every_seconds: float = 0.05
) -> T:
    """Wait until `condition` gives something true, and give that.

    Raises:
        AssertionError: it did not within the time; carries what the last attempt said.
    """
    deadline = time.monotonic() + within_seconds
    last: T | AssertionError | None = None
    while time.monotonic() < deadline:
        try:
            answer = await condition()
        except AssertionError as error:
            last = error
        else:
            if answer:
                return answer
            last = answer
        await asyncio.sleep(every_seconds)
    raise AssertionError(f"not within {within_seconds} s; last seen: {last!r}")
