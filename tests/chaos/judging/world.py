"""What the platform has published and stored: all input of the checker."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import TopicPartition
from chaos.judging.mails import Mail

from chassis.delivery.records import RawRecord
from chassis.parking.model import Position, key_lock
from contracts import topics
from contracts.envelope import Envelope, parse

SERVICES = topics.SERVICES

Spans = Mapping[str, Sequence[str]]
"""`<trace id>/<span id>` → the same for its parent and its links."""


@dataclass(frozen=True, slots=True)
class Said:
    """One event as it is on a topic."""

    envelope: Envelope
    data: bytes
    topic: str
    partition: int
    offset: int
    at: int = 0
    """When its writer handed it to the broker, in milliseconds since 1970: its state change was saved before."""

    @property
    def position(self) -> str:
        return str(Position(self.topic, self.partition, self.offset))

    @property
    def key_lock(self) -> str:
        """Where it waits if its target is unknown."""
        return key_lock(self.topic, self.envelope.partitionkey)


@dataclass(frozen=True, slots=True)
class Stored:
    """One aggregate document with its whole history."""

    service: str
    collection: str
    id: str
    seq: int
    state: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    """Oldest first, those that were moved out included."""
    outbox: Sequence[Mapping[str, Any]]
    due_at: datetime | None = None
    try_after: datetime | None = None

    @property
    def causes(self) -> list[str]:
        """Of every remembered input, also of those that staff discarded."""
        return [line["cause"] for line in self.lines]

    @property
    def applied(self) -> list[Mapping[str, Any]]:
        """The lines of applied inputs."""
        return [line for line in self.lines if not line.get("given_up")]

    @property
    def events(self) -> list[str]:
        """Ids of the events that its history claims, in order."""
        return [event for line in self.lines for event in line["events"]]

    @property
    def counts(self) -> list[list[int]]:
        """The numbers of its events, per line with events."""
        return [[_number(event) for event in line["events"]] for line in self.lines if line["events"]]

    @property
    def counts_on(self) -> bool:
        """Whether its events count 1..n, ascending within each line, and the lines are ordered by their first ones.

        A line that a rebuild found incomplete is completed when its input is read again, perhaps after other lines.
        """
        numbers = sorted(number for line in self.counts for number in line)
        ascending = all(line == sorted(line) for line in (*self.counts, [line[0] for line in self.counts]))
        return ascending and numbers == list(range(1, len(numbers) + 1))


def _number(event: str) -> int:
    """An event's sequence number by its id; 0: it has none."""
    end = event.rpartition(".")[2]
    return int(end) if end.isdigit() else 0


@dataclass
class World:
    """All durable data at one moment."""

    said: Sequence[Said] = ()
    stored: Sequence[Stored] = ()
    parked: Sequence[Mapping[str, Any]] = ()
    """Parked deliveries, each with the `service` that parked it."""
    audit: Sequence[Mapping[str, Any]] = ()
    """Deliveries removed from parking: action, outcome, `service`, and the delivery as it was parked."""
    locks: frozenset[str] = frozenset()
    """Targets and (topic, key)s with parked deliveries."""
    records: Sequence[RawRecord] = ()
    """All records on the topics, including unreadable ones; per partition in the order of offsets."""
    kept: frozenset[str] = frozenset()
    """Ids of the partner events that declarations keeps."""
    told: frozenset[str] = frozenset()
    """Ids of the events in tracking's timelines."""
    shown: frozenset[tuple[str, str]] = frozenset()
    """Declaration and event id of each step that the gateway shows."""
    set_aside: frozenset[tuple[str, str]] = frozenset()
    """Service and position of records set aside: unreadable ones in tracking, quarantined ones in the gateway."""
    inbox: Sequence[RawRecord] = ()
    """Everything on the partners' own topics."""
    mails: Sequence[Mail] = ()
    """All mails that the mail server has received."""
    spans: Spans | None = None
    """The exported spans that tracking keeps; None: not read."""
    committed: Mapping[str, Mapping[TopicPartition, int]] = field(default_factory=dict)
    """Consumer group → partition → committed offset."""
    ends: Mapping[TopicPartition, int] = field(default_factory=dict)
    grew: bool = False
    """Whether topics grew during the reading: the databases may know more than the records read."""
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the reading began: in a world at rest, everything due by then must have happened."""

    def of(self, service: str, collection: str = "") -> list[Stored]:
        return [each for each in self.stored if each.service == service and collection in ("", each.collection)]

    def on(self, topic: str) -> list[Said]:
        return [each for each in self.said if each.topic == topic]

    def first_said(self, topic: str) -> dict[str, Said]:
        """The first copy of each event id on a topic, in order of appearance."""
        first: dict[str, Said] = {}
        for each in self.on(topic):
            first.setdefault(each.envelope.id, each)
        return first


ACCOUNTS = "settlements"
"""The collection in which declarations keeps the accounts of UCRs."""


def remembered(world: World, service: str) -> Mapping[str, Any]:
    """What a rebuild must restore of each aggregate: its state, its events, and which input caused which.

    Inputs that changed nothing in an account of a UCR are left out: an event of declarations is an input of the account
    only if the account exists when the event is read, and after a rebuild it exists from the start.
    """
    return {each.id: (each.state, each.seq, _caused(each)) for each in world.of(service) if each.seq}


def _caused(stored: Stored) -> list[tuple[str, ...]]:
    lines = (line for line in stored.lines if line["events"] or stored.collection != ACCOUNTS)
    return sorted((line["cause"], line["by"], *line["events"]) for line in lines)


def said_of(records: Iterable[RawRecord]) -> list[Said]:
    """The events among the records."""
    return [one for record in records if (one := _said(record)) is not None]


def _said(record: RawRecord) -> Said | None:
    envelope = parse(record.headers)
    if not isinstance(envelope, Envelope):
        return None
    return Said(envelope, record.value or b"", record.topic, record.partition, record.offset, record.timestamp_ms)


def stored_of(service: str, collection: str, document: Mapping[str, Any], older: Sequence[Mapping[str, Any]]) -> Stored:
    """A document with its moved history lines."""
    return Stored(
        service=service,
        collection=collection,
        id=document["_id"],
        seq=document["seq"],
        state=document["state"] or {},
        lines=[*older, *document["history"]],
        outbox=document["outbox"],
        due_at=document.get("due_at"),
        try_after=document.get("try_after"),
    )
