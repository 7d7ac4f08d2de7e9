"""One document's events in transit to Kafka: which are sent next, and which a producer holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from opentelemetry.trace import Span

from chassis.aggregates.document import OutboxEntry
from chassis.aggregates.publishing import Source
from chassis.backoff import Backoff
from chassis.publishing.producer import Message, Producer
from chassis.publishing.trimming import DocumentKey
from chassis.telemetry import tracing
from contracts.envelope import Envelope

TOGETHER = 50
TOGETHER_BYTES = 49_152
"""Limits of one hand-over, in entries and in bytes of their data, so that it fits into a record batch.

The rest of the batch is for headers: 1.6 kB per entry.
"""
_BYTES_A_CHARACTER = 4
"""The UTF-8 maximum."""
_BACKOFF_SECONDS = (0.1, 5.0)
"""First and longest pause between two attempts."""


@dataclass(eq=False, slots=True)
class Sending:
    """One document's unacknowledged entries."""

    document: DocumentKey
    source: Source
    key: str
    entries: list[OutboxEntry] = field(default_factory=list)
    offered: list[float] = field(default_factory=list)
    """Per entry, since when it waits."""
    handed: "HandOver | None" = None
    """The entries that a producer holds, until it answers."""
    alone: int = 0
    """How many of the first entries are sent one by one, to find out which of a refused batch Kafka refuses."""
    backoff: Backoff = field(default_factory=lambda: Backoff(*_BACKOFF_SECONDS))
    stuck_at: float | None = None
    """Since when Kafka permanently refuses the first entry."""
    given_up: str = ""
    """The id of that entry."""

    def add(self, entries: Sequence[OutboxEntry], now: float) -> None:
        self.entries.extend(entries)
        self.offered.extend([now] * len(entries))

    def acknowledge(self, count: int) -> int:
        """Drop the first `count` entries; return the sequence number of the last of them."""
        last = self.entries[count - 1]
        del self.entries[:count], self.offered[:count]
        self.alone = max(0, self.alone - count)
        return last["seq"]

    def give_up(self, now: float) -> bool:
        """Mark the document as stuck because of its first entry; return whether that is new."""
        refused = self.entries[0]["id"]
        first = self.given_up != refused
        self.given_up, self.stuck_at = refused, now
        return first

    def try_again(self, now: float) -> None:
        """Retry a stuck document; its entries count as offered now."""
        self.stuck_at, self.offered = None, [now] * len(self.entries)

    def end_hand_over(self, error: BaseException | None) -> None:
        """Forget the hand-over: it was answered, or timed out."""
        if self.handed is not None:
            self.handed.end(error)
            self.handed = None

    def key_of(self, entry: OutboxEntry) -> str:
        """The key at the time of the decision; older releases did not store it."""
        return entry.get("key", self.key)

    def next(self) -> list[OutboxEntry]:
        """The first entries, as many as one hand-over may have."""
        first = self.entries[0]
        found, key, room = [first], self.key_of(first), TOGETHER_BYTES - _bytes_at_most(first["data"])
        for entry in islice(self.entries, 1, 1 if self.alone else TOGETHER):
            room -= _bytes_at_most(entry["data"])
            if room < 0 or self.key_of(entry) != key:
                break
            found.append(entry)
        return found


@dataclass(eq=False, slots=True)
class HandOver:
    """Entries of one document that a producer holds."""

    producer: Producer
    since: float
    entries: Sequence[OutboxEntry] = ()
    spans: list[Span] = field(default_factory=list)

    def message(self, sending: Sending, entry: OutboxEntry, source: str) -> Message:
        """The message of an entry, with its own span if spans are exported."""
        span, trace = tracing.begin_send(
            sending.source.topic, entry["trace"], entry["id"], cause=entry.get("cause_trace", {})
        )
        if span is not None:
            self.spans.append(span)
        envelope = Envelope(
            id=entry["id"],
            source=source,
            type=entry["type"],
            time=entry["time"],
            subject=sending.document[1],
            sequence=entry["seq"],
            partitionkey=sending.key_of(entry),
            causationid=entry["cause"],
            actor=entry["by"],
            trace=trace,
        )
        return Message(entry["data"].encode(), envelope.headers())

    def end(self, error: BaseException | None) -> None:
        for span in self.spans:
            if error is not None:
                tracing.failed(span, error)
            span.end()


def _bytes_at_most(data: str) -> int:
    """An upper bound of a text's encoded length."""
    return len(data) if data.isascii() else len(data) * _BYTES_A_CHARACTER
