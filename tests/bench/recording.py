"""Records one shipment on the platform: the published events and the stored documents.

Measurements that do the same work or insert the same documents take numbers and sizes from a recording.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import bson
from pymongo import AsyncMongoClient

from bench.flow import Flow
from bench.settling import settle
from chassis.recovery.rereading import read_topics
from chassis.settings import KafkaSettings
from contracts.envelope import Envelope, parse
from contracts.topics import EVENT_TOPICS
from launcher.services import SERVICES

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """One published event."""

    topic: str
    envelope: Envelope
    key: bytes
    headers: Sequence[tuple[str, bytes]]
    value: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """All events and documents of one shipment."""

    events: Sequence[Told]
    """In the order of their decisions."""
    documents: Mapping[str, Sequence[Document]]
    """`<service>.<collection>` → new documents, including spans."""
    mails: Sequence[bytes]

    def of(self, service: str, collection: str) -> Mapping[str, Document]:
        """The documents of a collection by id."""
        return {each["_id"]: each for each in self.documents.get(f"{service}.{collection}", ())}

    def write(self, file: Path) -> None:
        """Write the recording to a file for another process."""
        events = [
            {"topic": each.topic, "key": each.key, "headers": [list(one) for one in each.headers], "value": each.value}
            for each in self.events
        ]
        documents = {name: list(found) for name, found in self.documents.items()}
        file.write_bytes(bson.encode({"events": events, "documents": documents, "mails": list(self.mails)}))


def read_recording(file: Path) -> Recording:
    """Read the recording that another process has written."""
    read: dict[str, Any] = bson.decode(file.read_bytes(), bson.CodecOptions(tz_aware=True, tzinfo=UTC))
    events = []
    for each in read["events"]:
        headers = [(name, bytes(value)) for name, value in each["headers"]]
        events.append(Told(each["topic"], _envelope(headers), bytes(each["key"]), headers, bytes(each["value"])))
    return Recording(events, read["documents"], [bytes(each) for each in read["mails"]])


async def record(flow: Flow, mails: Path) -> Recording:
    """Play one shipment alone until it is closed and no work is left, and record it.

    Raises:
        AssertionError: it was not closed, or work is left.
    """
    settings = KafkaSettings(bootstrap_servers=flow.told.kafka)
    async with AsyncMongoClient[dict[str, Any]](flow.told.mongo_url, tz_aware=True) as client:
        said, kept, sent = await _said(settings), await _kept(client), set(mails.glob("*.eml"))
        await flow.play(1)
        settled = await settle(flow.told)
        assert not settled.left, settled.left
        known = {each.envelope.id for each in said}
        events = [each for each in await _said(settings) if each.envelope.id not in known]
        after = await _kept(client)
    documents = {
        name: [one for id_, one in found.items() if id_ not in kept.get(name, {})] for name, found in after.items()
    }
    return Recording(
        events=sorted(events, key=lambda each: (each.envelope.time, each.envelope.sequence)),
        documents={name: found for name, found in documents.items() if found},
        mails=[each.read_bytes() for each in sorted(set(mails.glob("*.eml")) - sent)],
    )


def _new(found: Mapping[Any, Document], before: Mapping[Any, Document]) -> list[Document]:
    return [document for id_, document in found.items() if id_ not in before]


async def _said(settings: KafkaSettings) -> list[Told]:
    topics = [topic.name for topic in EVENT_TOPICS]
    found: dict[str, Told] = {}
    async for batch in read_topics(settings, topics):
        for record in batch:
            headers = [(name, value or b"") for name, value in record.headers]
            told = Told(record.topic, _envelope(headers), record.key or b"", headers, record.value or b"")
            found.setdefault(told.envelope.id, told)
    return list(found.values())


async def _kept(client: AsyncMongoClient[dict[str, Any]]) -> dict[str, dict[Any, Document]]:
    kept: dict[str, dict[Any, Document]] = {}
    for service in SERVICES:
        for name in await client[service].list_collection_names():
            kept[f"{service}.{name}"] = {each["_id"]: each async for each in client[service][name].find()}
    return kept


def _envelope(headers: Sequence[tuple[str, bytes]]) -> Envelope:
    envelope = parse(headers)
    assert isinstance(envelope, Envelope), envelope
    return envelope
