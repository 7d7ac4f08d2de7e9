"""Reads what is durable, from Kafka, the databases and the mail server's folder, as they are.

Nothing here asks a service: the checker judges by what is left when all of them are dead.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from chaos.judging.mails import read_mails
from chaos.judging.world import SERVICES, Spans, Stored, World, said_of, stored_of
from pymongo import AsyncMongoClient

from chassis.consuming.reader import Reader
from chassis.delivery.records import RawRecord
from chassis.recovery.rereading import read_topics
from chassis.settings import KafkaSettings


async def read_world(
    bootstrap_servers: str,
    mongo_url: str,
    topics: Sequence[str],
    groups: Iterable[str] = SERVICES,
    databases: Sequence[str] = SERVICES,
    inboxes: Sequence[str] = (),
    mails: Path | None = None,
) -> World:
    """Read everything but spans: read it when the services rest or are dead.

    Of what runs it is no snapshot, but the committed offsets are the oldest part of it: what they have
    passed must be found resolved behind them.

    Args:
        inboxes: the partners' own topics.
        mails: the folder of the receiving mail server.
    """
    read_at = datetime.now(UTC)
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers)
    committed, ends = await _offsets(settings, [*topics, *inboxes], groups)
    records = await _records(settings, [*topics, *inboxes])
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_url, tz_aware=True)
    try:
        # What is taken out of parking is in the audit first, and applied before that.
        parked = [each | {"service": name} for name in databases async for each in client[name]["parked"].find()]
        audit = [
            line | {"service": name, "delivery": line["delivery"] | {"service": name}}
            for name in databases
            async for line in client[name]["parking_audit"].find()
        ]
        locks = [each["_id"] for name in databases async for each in client[name]["locks"].find({}, {"_id": 1})]
        stored = [each for name in databases for each in await _stored(client, name)]
        kept = [each["_id"] async for each in client["declarations"]["partner_events"].find({}, {"_id": 1})]
        told = [each["_id"] async for each in client["tracking"]["entries"].find({}, {"_id": 1})]
        outcomes = await client["gateway"]["outcomes"].find({}, {"of": 1, "event": 1, "steps.event": 1}).to_list()
        set_aside = [
            (name, each["_id"])
            for name, collection in (("tracking", "unreadable"), ("gateway", "quarantine"))
            async for each in client[name][collection].find({}, {"_id": 1})
        ]
    finally:
        await client.close()
    read_to = {TopicPartition(each.topic, each.partition): each.offset + 1 for each in records}
    _, ends_now = await _offsets(settings, [*topics, *inboxes], ())
    events = [each for each in records if each.topic not in inboxes]
    return World(
        said=said_of(events),
        stored=stored,
        parked=parked,
        audit=audit,
        locks=frozenset(locks),
        records=events,
        kept=frozenset(kept),
        told=frozenset(told),
        shown=frozenset(each for document in outcomes for each in _shown(document)),
        set_aside=frozenset(set_aside),
        inbox=[each for each in records if each.topic in inboxes],
        mails=read_mails(mails) if mails is not None else (),
        committed=committed,
        ends=ends,
        grew=any(end > read_to.get(partition, 0) for partition, end in ends_now.items()),
        read_at=read_at,
    )


def _shown(document: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Declaration and event of a told step; of several, where a former release kept them in one document."""
    if "of" in document:
        return [(document["of"], document["event"])]
    return [(document["_id"], step["event"]) for step in document.get("steps", ())]


async def read_spans(mongo_url: str) -> Spans:
    """What tracking keeps of spans: for the judgement at the end, since there are a hundred a shipment."""
    shown = {"trace_id": 1, "parent_id": 1, "links": 1}
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_url)
    async with client:
        return {
            each["_id"]: ([f"{each['trace_id']}/{each['parent_id']}"] if each["parent_id"] else []) + each["links"]
            async for each in client["tracking"]["spans"].find({}, shown)
        }


async def _records(settings: KafkaSettings, topics: Sequence[str]) -> list[RawRecord]:
    return [
        record
        async for batch in read_topics(settings, topics)
        for record in sorted(batch, key=lambda record: (record.topic, record.partition, record.offset))
    ]


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


async def _offsets(
    settings: KafkaSettings, topics: Sequence[str], groups: Iterable[str]
) -> tuple[dict[str, dict[TopicPartition, int]], dict[TopicPartition, int]]:
    admin = AIOKafkaAdminClient(**settings.client_options())
    consumer = Reader(*topics, **settings.client_options(), group_id=None)
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
