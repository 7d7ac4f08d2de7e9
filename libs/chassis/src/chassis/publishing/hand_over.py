"""One document's events on their way to Kafka: which go next, and what a producer has of them."""

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
"""So many entries of one document go in a row at most, and so much of their data: a batch has room for it.

What is left of the batch is for headers, 1.6 kB of each entry.
"""
_BYTES_A_CHARACTER = 4
"""At most, in UTF-8."""
_BACKOFF_SECONDS = (0.1, 5.0)
"""Between two attempts."""


@dataclass(eq=False, slots=True)
class Sending:
    """One document's entries on their way."""

    document: DocumentKey
    source: Source
    key: str
    entries: list[OutboxEntry] = field(default_factory=list)
    offered: list[float] = field(default_factory=list)
    """Since when each entry waits."""
    handed: "HandOver | None" = None
    """What is on its way and not acknowledged."""
    alone: int = 0
    """So many of the first entries go alone: Kafka refused the batch they stood in, and so it shows which it means."""
    backoff: Backoff = field(default_factory=lambda: Backoff(*_BACKOFF_SECONDS))
    stuck_at: float | None = None
    """Since when Kafka refuses its first entry for good."""
    given_up: str = ""
    """The id of that entry."""

    def add(self, entries: Sequence[OutboxEntry], now: float) -> None:
        self.entries.extend(entries)
        self.offered.extend([now] * len(entries))

    def acknowledge(self, count: int) -> int:
        """Drop the first entries; the sequence number of the last of them."""
        last = self.entries[count - 1]
        del self.entries[:count], self.offered[:count]
        self.alone = max(0, self.alone - count)
        return last["seq"]

    def give_up(self, now: float) -> bool:
        """Leave the document alone for its first entry's sake; whether it is for the first time."""
        refused = self.entries[0]["id"]
        first = self.given_up != refused
        self.given_up, self.stuck_at = refused, now
        return first

    def try_again(self, now: float) -> None:
        """What was left alone may go again; all of it counts as offered just now."""
        self.stuck_at, self.offered = None, [now] * len(self.entries)

    def end_hand_over(self, error: BaseException | None) -> None:
        """Have nothing on its way any more: it was answered, or is not waited for."""
        if self.handed is not None:
            self.handed.end(error)
            self.handed = None

    def key_of(self, entry: OutboxEntry) -> str:
        """Each entry goes under the key it was decided under; an older release did not store it."""
        return entry.get("key", self.key)

    def next(self) -> list[OutboxEntry]:
        """The first entries, as many as may go in a row."""
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
    """Entries of one document that a producer has."""

    producer: Producer
    since: float
    entries: Sequence[OutboxEntry] = ()
    spans: list[Span] = field(default_factory=list)

    def message(self, sending: Sending, entry: OutboxEntry, source: str) -> Message:
        """An entry as it goes out, with a span of its own where somebody hears of it."""
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
    """What a text takes on the wire, without encoding it."""
    return len(data) if data.isascii() else len(data) * _BYTES_A_CHARACTER
