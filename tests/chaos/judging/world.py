"""What the platform has said and stored: all that the checker judges by."""

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
"""`<trace id>/<span id>` → the same of its parent and of what it links to."""


@dataclass(frozen=True, slots=True)
class Said:
    """One event as it stands on a topic."""

    envelope: Envelope
    data: bytes
    topic: str
    partition: int
    offset: int
    at: int = 0
    """When its writer handed it to the broker, in milliseconds since 1970: what it tells of was saved before."""

    @property
    def position(self) -> str:
        return str(Position(self.topic, self.partition, self.offset))

    @property
    def key_lock(self) -> str:
        """Where it waits if nobody can tell its target."""
        return key_lock(self.topic, self.envelope.partitionkey)


@dataclass(frozen=True, slots=True)
class Stored:
    """One aggregate document, its history whole."""

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
        """Of every input that it remembers, also of those that staff gave up."""
        return [line["cause"] for line in self.lines]

    @property
    def applied(self) -> list[Mapping[str, Any]]:
        """The lines of what was applied to it."""
        return [line for line in self.lines if not line.get("given_up")]

    @property
    def events(self) -> list[str]:
        """Ids of the events that its history claims, in order."""
        return [event for line in self.lines for event in line["events"]]

    @property
    def counts(self) -> list[list[int]]:
        """The numbers of its events, by line, of those that have any."""
        return [[_number(event) for event in line["events"]] for line in self.lines if line["events"]]

    @property
    def counts_on(self) -> bool:
        """Whether its events count 1..n, each line's ascending, and the lines by their first ones.

        A line that a rebuild found begun is completed when its input is read again, perhaps behind others.
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
    """Everything durable at one moment."""

    said: Sequence[Said] = ()
    stored: Sequence[Stored] = ()
    parked: Sequence[Mapping[str, Any]] = ()
    """What waits, each with the `service` that parked it."""
    audit: Sequence[Mapping[str, Any]] = ()
    """What was taken out of parking: action, outcome, `service`, and the delivery as it was parked."""
    locks: frozenset[str] = frozenset()
    """Targets, and (topic, key)s, for which something is parked."""
    records: Sequence[RawRecord] = ()
    """Everything on the topics, also what nobody can read; per partition in the order of offsets."""
    kept: frozenset[str] = frozenset()
    """Ids of the partner events that declarations keeps."""
    told: frozenset[str] = frozenset()
    """Ids of the events that stand in tracking's timelines."""
    shown: frozenset[tuple[str, str]] = frozenset()
    """Declaration and event id of what the gateway shows of declarations."""
    set_aside: frozenset[tuple[str, str]] = frozenset()
    """Service and position of the records that it keeps beside: tracking as unreadable, the gateway in quarantine."""
    inbox: Sequence[RawRecord] = ()
    """Everything on the partners' own topics."""
    mails: Sequence[Mail] = ()
    """Everything that the receiving mail server has taken."""
    spans: Spans | None = None
    """What tracking keeps of the spans that were exported to it; None: nobody looked."""
    committed: Mapping[str, Mapping[TopicPartition, int]] = field(default_factory=dict)
    """Consumer group → partition → committed offset."""
    ends: Mapping[TopicPartition, int] = field(default_factory=dict)
    grew: bool = False
    """Whether topics grew while everything was read: the databases may know more than what was read of the topics."""
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the reading began: what was due then must have happened in a world at rest."""

    def of(self, service: str, collection: str = "") -> list[Stored]:
        return [each for each in self.stored if each.service == service and collection in ("", each.collection)]

    def on(self, topic: str) -> list[Said]:
        return [each for each in self.said if each.topic == topic]

    def first_said(self, topic: str) -> dict[str, Said]:
        """Per event id its first copy on a topic, in the order of first appearance."""
        first: dict[str, Said] = {}
        for each in self.on(topic):
            first.setdefault(each.envelope.id, each)
        return first


ACCOUNTS = "settlements"
"""Where declarations keeps the accounts of UCRs."""


def remembered(world: World, service: str) -> Mapping[str, Any]:
    """Per aggregate what must come back: its state, its events, and which input caused which.

    Of an account of a UCR the looks that found nothing new are left out: the declarations' own news is an account's to
    look at only where the account is there when the news is read, and after a rebuild it is there from the start.
    """
    return {each.id: (each.state, each.seq, _caused(each)) for each in world.of(service) if each.seq}


def _caused(stored: Stored) -> list[tuple[str, ...]]:
    lines = (line for line in stored.lines if line["events"] or stored.collection != ACCOUNTS)
    return sorted((line["cause"], line["by"], *line["events"]) for line in lines)


def said_of(records: Iterable[RawRecord]) -> list[Said]:
    """The events among some records."""
    return [one for record in records if (one := _said(record)) is not None]


def _said(record: RawRecord) -> Said | None:
    envelope = parse(record.headers)
    if not isinstance(envelope, Envelope):
        return None
    return Said(envelope, record.value or b"", record.topic, record.partition, record.offset, record.timestamp_ms)


def stored_of(service: str, collection: str, document: Mapping[str, Any], older: Sequence[Mapping[str, Any]]) -> Stored:
    """A document, with the lines that were moved out of it."""
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
