"""What the platform has said and stored, read from Kafka and the databases as they are.

Nothing here asks a service: the checker judges by what is durable.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from chassis.rebuild import read_topics
from chassis.records import RawRecord
from chassis.settings import KafkaSettings
from contracts.envelope import Envelope, parse

SERVICES = ("registry", "declarations", "matching", "notifications", "gateway", "tracking")


@dataclass(frozen=True, slots=True)
class Said:
    """One event as it stands on a topic."""

    envelope: Envelope
    data: bytes
    topic: str
    partition: int
    offset: int


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
    audit: Sequence[Mapping[str, Any]] = ()
    """What was taken out of parking: action, outcome, and the delivery as it was parked."""
    locks: frozenset[str] = frozenset()
    """Targets, and (topic, key)s, for which something is parked."""
    records: Sequence[RawRecord] = ()
    """Everything on the topics, also what nobody can read; per partition in the order of offsets."""
    kept: frozenset[str] = frozenset()
    """Ids of the partner events that declarations keeps."""
    told: frozenset[str] = frozenset()
    """Ids of the events that stand in tracking's timelines."""
    committed: Mapping[str, Mapping[TopicPartition, int]] = field(default_factory=dict)
    """Consumer group → partition → committed offset."""
    ends: Mapping[TopicPartition, int] = field(default_factory=dict)
    grew: bool = False
    """Whether topics grew while everything was read: the databases may know more than what was read of the topics."""

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


def remembered(world: World, service: str) -> Mapping[str, Any]:
    """Per aggregate what must come back: its state, its events, and which input caused which."""
    return {
        each.id: (each.state, each.seq, sorted((line["cause"], line["by"], *line["events"]) for line in each.lines))
        for each in world.of(service)
        if each.seq
    }


async def read_world(
    bootstrap_servers: str,
    mongo_url: str,
    topics: Sequence[str],
    groups: Iterable[str] = SERVICES,
    databases: Sequence[str] = SERVICES,
) -> World:
    """Read everything: read it when the services rest or are dead.

    Of what runs it is no snapshot, but the committed offsets are the oldest part of it: what they have
    passed must be found resolved behind them.
    """
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers)
    committed, ends = await _offsets(settings, topics, groups)
    records = [
        record
        async for batch in read_topics(settings, topics)
        for record in sorted(batch, key=lambda record: (record.topic, record.partition, record.offset))
    ]
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_url, tz_aware=True)
    try:
        # What is taken out of parking is in the audit first, and applied before that.
        parked = [each for name in databases async for each in client[name]["parked"].find()]
        audit = [each for name in databases async for each in client[name]["parking_audit"].find()]
        locks = [each["_id"] for name in databases async for each in client[name]["locks"].find({}, {"_id": 1})]
        stored = [each for name in databases for each in await _stored(client, name)]
        kept = [each["_id"] async for each in client["declarations"]["partner_events"].find({}, {"_id": 1})]
        told = [each["_id"] async for each in client["tracking"]["entries"].find({}, {"_id": 1})]
    finally:
        await client.close()
    read_to = {TopicPartition(each.topic, each.partition): each.offset + 1 for each in records}
    _, ends_now = await _offsets(settings, topics, ())
    return World(
        said=said_of(records),
        stored=stored,
        parked=parked,
        audit=audit,
        locks=frozenset(locks),
        records=records,
        kept=frozenset(kept),
        told=frozenset(told),
        committed=committed,
        ends=ends,
        grew=any(end > read_to.get(partition, 0) for partition, end in ends_now.items()),
    )


def said_of(records: Iterable[RawRecord]) -> list[Said]:
    """The events among some records."""
    return [one for record in records if (one := _said(record)) is not None]


def _said(record: RawRecord) -> Said | None:
    envelope = parse(record.headers)
    if not isinstance(envelope, Envelope):
        return None
    return Said(envelope, record.value or b"", record.topic, record.partition, record.offset)


async def _stored(client: AsyncMongoClient[dict[str, Any]], service: str) -> list[Stored]:
    found = []
    database = client[service]
    for name in await database.list_collection_names():
        async for document in database[name].find({"history": {"$exists": True}, "outbox": {"$exists": True}}):
            older: list[Mapping[str, Any]] = []
            if document.get("moved"):
                moved = database[f"{name}_history"].find({"of": document["_id"]}).sort("number")
                older = [each["line"] async for each in moved if each["number"] < document["moved"]]
            found.append(stored_of(service, name, document, older))
    return found


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


async def _offsets(
    settings: KafkaSettings, topics: Sequence[str], groups: Iterable[str]
) -> tuple[dict[str, dict[TopicPartition, int]], dict[TopicPartition, int]]:
    admin = AIOKafkaAdminClient(**settings.client_options())
    consumer = AIOKafkaConsumer(*topics, **settings.client_options(), group_id=None)
    await admin.start()
    await consumer.start()
    try:
        committed = {}
        for group in groups:
            offsets = await admin.list_consumer_group_offsets(group)
            committed[group] = {partition: each.offset for partition, each in offsets.items() if each.offset >= 0}
        partitions = [
            TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic) or ()
        ]
        return committed, dict(await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()
        await admin.close()
