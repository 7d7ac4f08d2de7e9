"""The checker sees each of the four classic breaks of the core, and nothing where the core is whole."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from chaos.checker.deliveries import deliveries
from chaos.checker.offsets import offsets
from chaos.checker.published import published
from chaos.reading import read_world
from chaos.verdicts import faults_of
from chaos.world import SERVICES, World
from pymongo import AsyncMongoClient

from chassis.testing import eventually
from contracts.envelope import Envelope
from contracts.gateway.v1 import Declaration, DeclarationFunction, DeclarationSubmitted, GoodsItem
from contracts.topics import EVENT_TOPICS, GATEWAY
from contracts.values import Direction, Identifier, Money, Party, PartyRole
from launcher import services
from launcher.infrastructure import Infrastructure
from launcher.layout import Layout
from launcher.ports import PortBlock
from launcher.processes import Child
from launcher.services import Surroundings

TOPICS = [topic.name for topic in EVENT_TOPICS]
DECLARANT = Identifier(scheme="CN-USCC", value="91370200MA3F1XK27C")


@pytest.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Infrastructure]:
    """A broker and a database of this module alone: what the checker reads must be what was put there."""
    async with Infrastructure(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
async def empty(servers: Infrastructure) -> Infrastructure:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.bootstrap_servers)
    await admin.start()
    present = [name for name in TOPICS if name in await admin.list_topics()]
    if present:
        await admin.delete_topics(present)

        async def gone() -> bool:
            return not set(present) & set(await admin.list_topics())

        await eventually(gone)
    await admin.close()
    await servers.create_topics(EVENT_TOPICS)
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(servers.mongo_url)
    for service in SERVICES:
        await client.drop_database(service)
    await client.close()
    return servers


class Sabotaged:
    """The declarations service with a broken core, as a process."""

    def __init__(self, servers: Infrastructure, folder: Path, name: str) -> None:
        layout = Layout(folder / "platform")
        layout.prepare()
        services.prepare_secrets(layout)
        self._block = PortBlock()
        ports = self._block.choose(services.port_names(), {})
        around = Surroundings(layout, ports, servers.bootstrap_servers, servers.mongo_url)
        environment = services.environment("declarations", around)
        environment |= {"PYTHONPATH": str(Path(__file__).parents[1]), "TRADE_KAFKA__SESSION_TIMEOUT_MS": "2000"}
        command = [sys.executable, "-m", "chaos.sabotage", name, str(folder / "marker"), "declarations"]
        self._process = Child("declarations", command, log=layout.logs / "declarations.log", environment=environment)

    async def run_until_killed(self) -> None:
        self._process.start()
        status = await asyncio.wait_for(self._process.finished(), 40)
        assert status == -signal.SIGKILL, self._process.last_words()

    def start(self) -> None:
        self._process.start()

    async def stop(self) -> None:
        await self._process.stop()
        self._block.release()


async def lodge(servers: Infrastructure) -> None:
    """One declaration as the gateway would have published it."""
    payload = DeclarationSubmitted(
        receipt_id="R-1",
        received_at=datetime.now(UTC),
        firm=DECLARANT,
        function=DeclarationFunction.ORIGINAL,
        declaration=Declaration(
            lrn="LRN-1",
            ucr="6CN91370200MA3F1XK27C-1",
            direction=Direction.IMPORT,
            currency="CNY",
            parties=(Party(role=PartyRole.DECLARANT, identifier=DECLARANT),),
            goods=(GoodsItem(number=1, commodity_code="520100", price=Money(amount=Decimal(1000), currency="CNY")),),
        ),
    )
    envelope = Envelope(
        id="R-1/0.1",
        source="/trade/gateway",
        type="trade.gateway.declaration.submitted.v1",
        time=datetime.now(UTC),
        subject="R-1",
        sequence=1,
        partitionkey=payload.declaration.ucr,
        causationid="test",
        actor="firm:test",
    )
    producer = AIOKafkaProducer(bootstrap_servers=servers.bootstrap_servers, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(
            GATEWAY.name,
            payload.model_dump_json().encode(),
            key=payload.declaration.ucr.encode(),
            headers=envelope.headers(),
        )
    finally:
        await producer.stop()


async def world_of(servers: Infrastructure) -> World:
    return await read_world(servers.bootstrap_servers, servers.mongo_url, TOPICS, groups=["declarations"])


async def until_settled(servers: Infrastructure) -> World:
    """The world once declarations has read everything and has nothing to publish."""
    seen: list[World] = []

    async def settled() -> bool:
        world = await world_of(servers)
        seen.append(world)
        committed = world.committed["declarations"]
        behind = [at for at, end in world.ends.items() if at.topic == GATEWAY.name and committed.get(at, 0) < end]
        return not behind and not any(each.outbox for each in world.stored)

    await eventually(settled, within_seconds=40, every_seconds=0.3)
    return seen[-1]


def faults(world: World) -> list[str]:
    """What the checks say of declarations alone; the gateway and tracking do not run here."""
    own = faults_of([published(world), deliveries(world), offsets(world, ["declarations"])])
    return [each for each in own if "R-1/0.1 is on" not in each and "is in no timeline" not in each]


async def after_kill_and_restart(servers: Infrastructure, folder: Path, name: str) -> tuple[World, World]:
    """The world right after the kill, and the one after the service has come back and settled."""
    sabotaged = Sabotaged(servers, folder, name)
    await lodge(servers)
    try:
        await sabotaged.run_until_killed()
        killed = await world_of(servers)
        sabotaged.start()
        return killed, await until_settled(servers)
    finally:
        await sabotaged.stop()


async def test_a_whole_core_passes_though_killed_before_its_commit(empty: Infrastructure, tmp_path: Path) -> None:
    killed, settled = await after_kill_and_restart(empty, tmp_path, "none")
    looked = offsets(killed, ["declarations"])
    assert looked.faults == []
    assert faults(settled) == []
    assert [each.envelope.type for each in settled.on("declarations.events.v1")][:1] == [
        "trade.declarations.declaration.submitted.v1"
    ]


async def test_a_commit_before_the_save_is_seen(empty: Infrastructure, tmp_path: Path) -> None:
    killed, settled = await after_kill_and_restart(empty, tmp_path, "offset-before-save")
    assert any(each.startswith("7:") for each in faults(killed))
    assert any(each.startswith("3:") for each in faults(settled))


async def test_publishing_without_an_outbox_is_seen(empty: Infrastructure, tmp_path: Path) -> None:
    _, settled = await after_kill_and_restart(empty, tmp_path, "no-outbox")
    assert any(each.startswith("2:") for each in faults(settled))


async def test_trimming_before_the_acknowledgement_is_seen(empty: Infrastructure, tmp_path: Path) -> None:
    _, settled = await after_kill_and_restart(empty, tmp_path, "trim-before-ack")
    assert any(each.startswith("2:") for each in faults(settled))


async def test_a_core_that_forgets_what_it_applied_is_seen(empty: Infrastructure, tmp_path: Path) -> None:
    _, settled = await after_kill_and_restart(empty, tmp_path, "no-deduplication")
    assert any(each.startswith("3:") for each in faults(settled))
