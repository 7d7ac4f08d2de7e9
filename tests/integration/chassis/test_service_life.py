"""A service as a whole, on real parts: it consumes, publishes, drains, and comes back from a lost database."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.aggregates import Aggregates, AggregateType
from chassis.aggregates.codec import dataclass_codec
from chassis.assembly import Assembly
from chassis.delivery.subscriptions import AggregateHandler, Subscription
from chassis.recovery.rereading import read_topics
from chassis.rpc.identity import create_key
from chassis.service import Service
from chassis.settings import DoorSettings, KafkaSettings, ListenSettings, MongoSettings, ServiceSettings
from chassis.testing import eventually
from contracts.envelope import Envelope
from contracts.topics import REGISTRY, Topic
from contracts.values import Payload
from launcher.infrastructure import Infrastructure

NUMBERED = "trade.registry.number.given.v1"
SUMS = Topic("sums.events.v1", "adder", ("adder",), ("tests",), "the target")
"""A topic of its own: a rebuild folds whatever its service's topic holds."""


class Numbered(Payload):
    target: str
    number: int


@dataclass(frozen=True, slots=True)
class Sum:
    id: str
    total: int


@dataclass(frozen=True, slots=True)
class Add:
    id: str
    number: int


@dataclass(frozen=True, slots=True)
class Added:
    id: str
    number: int


class SumMessages:
    def encode(self, event: Added, state: Sum) -> tuple[str, bytes]:
        return "trade.declarations.sum.added.v1", json.dumps({"id": event.id, "number": event.number}).encode()

    def decode(self, type: str, data: bytes) -> Added:  # noqa: A002 - the port's name
        return Added(**json.loads(data))


SUM: AggregateType[Sum, Add, Added] = AggregateType(
    name="sum",
    collection="sums",
    decide=lambda _state, command, _now: (Added(command.id, command.number),) if command.number else (),
    evolve=lambda state, event: Sum(event.id, (state.total if state else 0) + event.number),
    key=lambda state: state.id,
    codec=dataclass_codec(Sum),
    messages=SumMessages(),
)


class TestSettings(ServiceSettings):
    __test__ = False
    model_config = SettingsConfigDict(env_prefix="TEST_SERVICE_LIFE_")


class Adder:
    """The service under test and what it is made of."""

    def __init__(self, settings: ServiceSettings) -> None:
        assembly = Assembly(settings)
        self.db = assembly.db
        self.sums: Aggregates[Sum, Add, Added] = assembly.aggregates(SUM, topic=SUMS)
        handler = AggregateHandler(
            self.sums,
            targets=lambda event: [event.payload.target],  # type: ignore[attr-defined]
            command=lambda event, target: Add(target, event.payload.number),  # type: ignore[attr-defined]
        )
        assembly.subscribe(Subscription(REGISTRY.name, {NUMBERED: Numbered}, handler))
        self.service = Service(assembly)


@pytest.fixture
async def settings(infrastructure: Infrastructure, event_topics: None, tmp_path: Path) -> TestSettings:
    await infrastructure.create_topics([SUMS])
    name = f"adder-{secrets.token_hex(4)}"
    create_key(tmp_path, name)
    return TestSettings(
        environment="development",
        name=name,
        instance="one",
        kafka=KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers, session_timeout_ms=3000),
        mongo=MongoSettings(url=SecretStr(infrastructure.mongo_url)),
        grpc=DoorSettings(port=0),
        admin=ListenSettings(port=0),
        keys_dir=tmp_path,
    )


async def test_prepare_makes_topics_and_indexes_again_and_again_beside_a_running_replica(
    settings: TestSettings, infrastructure: Infrastructure
) -> None:
    name = f"own-{secrets.token_hex(4)}"
    settings = settings.model_copy(update={"name": name})
    create_key(settings.keys_dir, name)
    own = Topic(f"{name}.events.v1", name, (name,), ("tests",), "the target")

    def assembly() -> Assembly:
        made = Assembly(settings)
        made.aggregates(SUM, topic=own)
        return made

    assert await Service(assembly()).prepare() == [own.name]
    running = assembly()
    stopping = asyncio.Event()
    life = asyncio.create_task(Service(running).run(stopping))
    try:
        indexes = await running.db[SUM.collection].index_information()
        assert len(indexes) > 1
        assert await Service(assembly()).prepare() == [own.name]
        assert await running.db[SUM.collection].index_information() == indexes
    finally:
        stopping.set()
        await asyncio.wait_for(life, 30)


@asynccontextmanager
async def running(settings: ServiceSettings) -> AsyncIterator[Adder]:
    adder = Adder(settings)
    stopping = asyncio.Event()
    life = asyncio.create_task(adder.service.run(stopping))
    try:
        yield adder
    finally:
        stopping.set()
        await asyncio.wait_for(life, 30)


def numbered(target: str, number: int, seq: int) -> tuple[bytes, list[tuple[str, bytes]]]:
    envelope = Envelope(
        id=f"{target}/in/0.{seq}",
        source="/trade/registry",
        type=NUMBERED,
        time=datetime.now(UTC),
        subject=f"{target}/in",
        sequence=seq,
        partitionkey=target,
        causationid="test",
        actor="service:test",
    )
    return Numbered(target=target, number=number).model_dump_json().encode(), envelope.headers()


async def give(infrastructure: Infrastructure, target: str, numbers: list[int], start: int = 1) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers, acks="all")
    await producer.start()
    try:
        for seq, number in enumerate(numbers, start):
            value, headers = numbered(target, number, seq)
            await producer.send_and_wait(REGISTRY.name, value, key=target.encode(), headers=headers)
    finally:
        await producer.stop()


async def published(infrastructure: Infrastructure, target: str) -> list[dict[str, str]]:
    """The headers of a target's events, in order."""
    settings = KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers)
    return [
        {name: (value or b"").decode() for name, value in record.headers}
        async for records in read_topics(settings, [SUMS.name])
        for record in records
        if record.key == target.encode()
    ]


async def test_what_comes_in_is_applied_once_and_published_in_order(
    infrastructure: Infrastructure, settings: TestSettings
) -> None:
    target = f"t-{secrets.token_hex(4)}"
    async with running(settings) as adder:
        await give(infrastructure, target, [1, 2, 3])
        await give(infrastructure, target, [1, 2, 3])

        async def done() -> bool:
            state = await adder.sums.get(target)
            return state is not None and state.total >= 6

        await eventually(done)
    events = await published(infrastructure, target)
    assert [event["ce_id"] for event in events] == [f"{target}/0.{n}" for n in (1, 2, 3)]
    assert [event["ce_causationid"] for event in events] == [f"{target}/in/0.{n}" for n in (1, 2, 3)]


async def test_a_lost_database_is_rebuilt_from_the_own_topic_and_the_inputs(
    infrastructure: Infrastructure, settings: TestSettings
) -> None:
    target = f"t-{secrets.token_hex(4)}"
    async with running(settings) as adder:
        await give(infrastructure, target, [5, 0, 7])

        async def done() -> bool:
            documents = await adder.sums.documents.load([target])
            return bool(documents) and len(documents[target]["history"]) == 3 and not documents[target]["outbox"]

        await eventually(done)
        before = (await adder.sums.documents.load([target]))[target]
        await adder.db.client.drop_database(adder.db.name)

    lost = Adder(settings)
    assert await lost.service.rebuild() >= 2
    assert await Adder(settings).service.rebuild() == 0, "what is there is left out when it is rebuilt again"
    async with running(settings) as again:

        async def caught_up() -> bool:
            documents = await again.sums.documents.load([target])
            return len(documents[target]["history"]) == 3

        await eventually(caught_up)
        after = (await again.sums.documents.load([target]))[target]
    assert (after["state"], after["seq"], after["key"]) == (before["state"], before["seq"], before["key"])
    assert {line["cause"]: line["events"] for line in after["history"]} == {
        line["cause"]: line["events"] for line in before["history"]
    }
    assert len(await published(infrastructure, target)) == 2
