"""Tracking as a whole on a real broker and a real database: read, kept, found, rebuilt."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiokafka import AIOKafkaProducer

from chassis.records import RawRecord
from chassis.settings import KafkaSettings, ListenSettings, MongoSettings
from chassis.testing import eventually
from contracts.topics import EVENT_TOPICS
from launcher.infrastructure import Infrastructure
from launcher.ports import PortBlock
from tracking.app import build
from tracking.settings import TrackingSettings
from tracking.spans import SpanStore, read_spans
from tracking.store import TimelineStore

PASSWORD = "a long enough password"
RecordMaker = Callable[..., RawRecord]
EntryMaker = Callable[..., Any]


@dataclass
class Running:
    client: httpx2.AsyncClient
    producer: AIOKafkaProducer

    async def publish(self, record: RawRecord) -> None:
        await self.producer.send_and_wait(
            record.topic, record.value, key=record.key, headers=[(name, value) for name, value in record.headers]
        )

    async def shipment(self, ucr: str) -> Any:
        return (await self.client.get(f"/shipments/{ucr}")).json()


@pytest.fixture(scope="module")
async def running(infrastructure: Infrastructure, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder: Path = tmp_path_factory.mktemp("tracking")
    (folder / "password").write_text(PASSWORD)
    await infrastructure.create_topics(EVENT_TOPICS)
    block = PortBlock()
    ports = block.choose(["http", "grpc", "admin", "otlp"], {})
    settings = TrackingSettings(
        kafka=KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers, session_timeout_ms=10_000),
        mongo=MongoSettings(url=infrastructure.mongo_url, database="tracking_test"),
        keys_dir=folder,
        staff_password_file=folder / "password",
        http=ListenSettings(port=ports["http"]),
        grpc=ListenSettings(port=ports["grpc"]),
        admin=ListenSettings(port=ports["admin"]),
        otlp=ListenSettings(port=ports["otlp"]),
    )
    service, stopping = build(settings), asyncio.Event()
    run = asyncio.create_task(service.run(stopping))
    producer = AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers)
    await producer.start()
    url = f"http://127.0.0.1:{ports['http']}"
    async with httpx2.AsyncClient(base_url=url, auth=("staff", PASSWORD), trust_env=False) as client:
        await eventually(lambda: _opened(client))
        yield Running(client, producer)
    await producer.stop()
    stopping.set()
    await run
    block.release()


async def test_events_of_every_topic_meet_in_one_timeline(running: Running, a_record: RecordMaker) -> None:
    ucr = "6CNTOPICS"
    for topic in EVENT_TOPICS:
        await running.publish(a_record("x.y.z", id=topic.name, topic=topic.name, key=ucr, ucr=ucr))

    async def all_there() -> Any:
        body = await running.shipment(ucr)
        return {each["topic"] for each in body["steps"]} == {topic.name for topic in EVENT_TOPICS} and body

    body = await eventually(all_there)
    assert len(body["steps"]) == len(EVENT_TOPICS)


async def test_what_cannot_be_read_is_kept_and_blocks_nothing(running: Running, a_record: RecordMaker) -> None:
    ucr = "6CNPOISON"
    await running.producer.send_and_wait(
        "declarations.events.v1", b"\xff", key=ucr.encode(), headers=[("ce_id", b"\xff")]
    )
    await running.producer.send_and_wait("declarations.events.v1", None, key=ucr.encode())
    await running.publish(a_record(id="after-poison", key=ucr, ucr=ucr))

    async def behind_it() -> Any:
        return (await running.shipment(ucr))["known"]

    await eventually(behind_it)
    unreadable = (await running.client.get("/unreadable")).json()
    assert unreadable["count"] == 2
    assert all(each["reason"] for each in unreadable["records"])


async def test_a_repeat_changes_nothing_and_a_contradiction_is_shown(running: Running, a_record: RecordMaker) -> None:
    ucr = "6CNTWICE"
    same = {"id": "twice", "key": ucr, "ucr": ucr, "minute": 0}
    for note in ("a", "a", "b", "a", "b"):
        await running.publish(a_record(note=note, **same))
    await running.publish(a_record(id="last", key=ucr, ucr=ucr))

    async def last_there() -> Any:
        body = await running.shipment(ucr)
        return any(each["id"] == "last" for each in body["steps"]) and body

    body = await eventually(last_there)
    assert sorted(each["id"] for each in body["steps"]) == ["last", "twice"]
    twice = next(each for each in body["steps"] if each["id"] == "twice")
    assert ('"a"' in twice["raw"], len(twice["conflicts"])) == (True, 1)


async def test_a_partner_event_without_ucr_joins_by_its_declaration_number(
    running: Running, a_record: RecordMaker
) -> None:
    ucr, number = "6CNJOIN", "531620261234567890"
    topic = "partners.events.v1"
    refs = {"declaration_number": number}
    await running.publish(a_record("partners.shipment.gate_in", id="P/1", topic=topic, key=number, references=refs))
    await running.publish(a_record(id="J/1", key=ucr, ucr=ucr, declaration_number=number))

    async def joined() -> Any:
        return [each["id"] for each in (await running.shipment(ucr))["steps"]] == ["P/1", "J/1"]

    await eventually(joined)
    found = (await running.client.get("/search", params={"q": "J/1"})).json()
    assert [each["thread"] for each in found["results"]] == [ucr]


async def test_when_all_is_read_it_says_so(running: Running) -> None:
    async def all_read() -> Any:
        coverage = (await running.shipment("6CNNOBODY"))["coverage"]
        return coverage and all(each["conclusion"] == "nothing_happened" for each in coverage)

    await eventually(all_read)


async def test_entries_come_back_from_the_database_as_they_were(
    infrastructure: Infrastructure, running: Running, an_entry: EntryMaker
) -> None:
    from chassis import mongo  # noqa: PLC0415

    client = mongo.connect(MongoSettings(url=infrastructure.mongo_url))
    try:
        store = TimelineStore(mongo.open_database(client, "tracking_store_test"))
        await store.create_indexes()
        entry = an_entry(seq=1, lrn="L1", ucr="6CNSTORE", **{"a.b$": "\0", "big": 2**70})
        await store.add([entry, entry])
        await store.add([entry])
        assert await store.thread("6CNSTORE") == [entry]
        assert await store.search("L1") == {"6CNSTORE": {"lrn"}}
        assert await store.search("L") == {}
    finally:
        await client.close()


async def test_spans_are_bounded_per_shipment_and_expire(infrastructure: Infrastructure) -> None:
    from chassis import mongo  # noqa: PLC0415
    from chassis.clock import ManualClock  # noqa: PLC0415

    client, clock = mongo.connect(MongoSettings(url=infrastructure.mongo_url)), ManualClock()
    try:
        store = SpanStore(mongo.open_database(client, "spans_test"), clock, days=1, per_shipment=3, in_all=5)
        await store.create_indexes()
        assert await store.add(_spans("6CN1", 5)) == 2
        assert await store.add(_spans("6CN2", 5)) == 3
        assert len(await store.of("6CN1")) == 3
        await clock.advance(days=2)
        assert await store.remove_expired() == 5
        assert await store.add(_spans("6CN1", 1)) == 0
    finally:
        await client.close()


async def _opened(client: httpx2.AsyncClient) -> bool:
    try:
        return (await client.get("/")).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False


def _spans(ucr: str, count: int) -> list[Any]:
    import os  # noqa: PLC0415

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue  # noqa: PLC0415
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span  # noqa: PLC0415

    attribute = KeyValue(key="trade.ucr", value=AnyValue(string_value=ucr))
    spans = [
        Span(trace_id=os.urandom(16), span_id=os.urandom(8), name="n", attributes=[attribute]) for _ in range(count)
    ]
    return list(
        read_spans(ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])]))
    )
