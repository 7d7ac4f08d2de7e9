"""The whole service on real Kafka and MongoDB: read, store, search, rebuild."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from chassis.delivery.records import RawRecord
from chassis.service import Service
from chassis.settings import DoorSettings, HttpSettings, KafkaSettings, ListenSettings, MongoSettings
from chassis.testing import eventually
from contracts.topics import EVENT_TOPICS
from launcher.infrastructure import Infrastructure
from launcher.ports import PortBlock
from tracking.app import build
from tracking.settings import TrackingSettings

PASSWORD = "a long enough password"
RecordMaker = Callable[..., RawRecord]
SettingsMaker = Callable[[str], TrackingSettings]


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


@asynccontextmanager
async def desk_of(settings: TrackingSettings) -> AsyncIterator[httpx2.AsyncClient]:
    """A running service and an HTTP client of it; the service is stopped at the end."""
    service, stopping = Service(build(settings)), asyncio.Event()
    run = asyncio.create_task(service.run(stopping))
    url = f"http://127.0.0.1:{settings.http.port}"
    try:
        async with httpx2.AsyncClient(base_url=url, auth=("staff", PASSWORD), trust_env=False) as client:
            await eventually(lambda: _opened(client))
            yield client
    finally:
        stopping.set()
        await run


@pytest.fixture(scope="module")
async def make_settings(
    infrastructure: Infrastructure, event_topics: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Callable[[str], TrackingSettings]]:
    """Builder of settings with a separate name, consumer group and database."""
    folder: Path = tmp_path_factory.mktemp("tracking")
    (folder / "password").write_text(PASSWORD)
    blocks: list[PortBlock] = []

    def make(name: str) -> TrackingSettings:
        blocks.append(PortBlock())
        ports = blocks[-1].choose(["http", "grpc", "admin", "otlp"], {})
        return TrackingSettings(
            environment="development",
            name=name,
            kafka=KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers, session_timeout_ms=10_000),
            mongo=MongoSettings(url=SecretStr(infrastructure.mongo_url)),
            keys_dir=folder,
            staff_password_file=folder / "password",
            http=HttpSettings(port=ports["http"]),
            grpc=DoorSettings(port=ports["grpc"]),
            admin=ListenSettings(port=ports["admin"]),
            otlp=ListenSettings(port=ports["otlp"]),
        )

    yield make
    for block in blocks:
        block.release()


@pytest.fixture(scope="module")
async def producer(infrastructure: Infrastructure) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers) as started:
        yield started


@pytest.fixture(scope="module")
async def running(make_settings: SettingsMaker, producer: AIOKafkaProducer) -> AsyncIterator[Running]:
    async with desk_of(make_settings("tracking_test")) as client:
        yield Running(client, producer)


async def test_events_of_every_topic_meet_in_one_timeline(running: Running, a_record: RecordMaker) -> None:
    ucr = "6CNTOPICS"
    for topic in EVENT_TOPICS:
        await running.publish(a_record("x.y.z", id=topic.name, topic=topic.name, key=ucr, ucr=ucr))

    async def all_there() -> Any:
        body = await running.shipment(ucr)
        return {each["topic"] for each in body["steps"]} == {topic.name for topic in EVENT_TOPICS} and body

    body = await eventually(all_there)
    assert len(body["steps"]) == len(EVENT_TOPICS)


async def test_an_unreadable_record_is_stored_and_blocks_nothing(running: Running, a_record: RecordMaker) -> None:
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


async def test_a_repeat_changes_nothing_and_a_conflict_is_shown(running: Running, a_record: RecordMaker) -> None:
    ucr = "6CNTWICE"
    same = {"id": "twice", "key": ucr, "ucr": ucr, "minute": 0}
    for note in ("a", "a", "b", "a", "b"):
        await running.publish(a_record(note=note, **same))
    await running.publish(a_record(id="last", key=ucr, ucr=ucr))

    async def last_and_conflict_there() -> Any:
        # A batch stores its new entries first and then the conflicts: the last entry alone does not prove it done.
        body = await running.shipment(ucr)
        steps = {each["id"]: each for each in body["steps"]}
        return "last" in steps and steps["twice"]["conflicts"] and body

    body = await eventually(last_and_conflict_there)
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


async def test_a_topic_read_to_its_end_is_shown_as_read(running: Running) -> None:
    async def all_read() -> Any:
        coverage = (await running.shipment("6CNNOBODY"))["coverage"]
        return coverage and all(each["conclusion"] == "read" for each in coverage)

    await eventually(all_read)


async def test_a_dropped_read_model_is_rebuilt_from_the_topics(
    make_settings: SettingsMaker, producer: AIOKafkaProducer, a_record: RecordMaker
) -> None:
    ucr, settings = "6CNREBUILT", make_settings("tracking_rebuild")

    async def told(client: httpx2.AsyncClient) -> Any:
        body = (await client.get(f"/shipments/{ucr}")).json()
        return len(body["steps"]) == 2 and [body["steps"], body["situations"]]

    async with desk_of(settings) as client:
        for seq in (1, 2):
            await Running(client, producer).publish(a_record(seq=seq, key=ucr, ucr=ucr, declaration_id="D-1"))
        before = await eventually(lambda: told(client))
    assembly = build(settings)
    for name in ("entries", "unreadable", "spans"):
        await assembly.db.drop_collection(name)
    await Service(assembly).rebuild()
    async with desk_of(settings) as client:
        assert await eventually(lambda: told(client)) == before


async def _opened(client: httpx2.AsyncClient) -> bool:
    try:
        return (await client.get("/")).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False
