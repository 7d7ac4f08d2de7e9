"""The publisher is cut off under load: doors refuse in time, consumption pauses, memory is bounded, nothing is lost."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import httpx2
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from chaos.cells.ground import Cell, Ground, Verdict
from chaos.harness.breaking import at_rest
from chaos.harness.processes import memory_bytes
from chaos.harness.shipment import Firms, on_platform
from chaos.judging.invariants import Sent
from chaos.judging.platform import judged, kept
from chaos.toy.doors import PLACE, json_call
from chaos.toy.load import Load, Sink, load_on
from chaos.toy.oracle import Oracle, Way
from chaos.toy.settling import settled
from chaos.toy.stage import TESTER, Replica, on_stage
from pymongo import AsyncMongoClient

from chassis.rpc import connect, reason_of
from chassis.rpc.identity import TokenSigner
from chassis.testing import eventually
from contracts.topics import DECLARATIONS, Profile, Topic
from launcher.infrastructure import Infrastructure
from launcher.platform import Platform
from trade_cli.partner_moves import event

MAX_UNSENT = 100
CLIENTS = 16
REFUSALS = 300
"""How many refusals to provoke: requests continue long after the door is full."""
GROWTH_BYTES = 64_000_000
"""Above the growth that a full set of unsent events causes: each takes some kilobytes."""


@dataclass
class Hammer:
    """Clients that post events as fast as they are answered, and retry refused ones."""

    firms: Firms
    taken: list[Sent] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    _numbers: int = 0

    async def until(self, done: asyncio.Event) -> None:
        key = self.firms.keys["port-qd"]
        async with httpx2.AsyncClient(base_url=self.firms.told.gateway_url, timeout=30, trust_env=False) as http:
            await asyncio.gather(*(self._client(http, key, done) for _ in range(CLIENTS)))

    async def _client(self, http: httpx2.AsyncClient, key: str, done: asyncio.Event) -> None:
        """Post one event after the other; retry a refused one until it is accepted."""
        headers = {"authorization": f"Bearer {key}", "content-type": "application/cloudevents+json"}
        while not done.is_set():
            self._numbers += 1
            said = event(f"6CN91370200MA3DEMX012-P{self._numbers:06}", "arrival", now=datetime.now(UTC))
            while True:
                answer = await http.post("/v1/events", json=dict(said), headers=headers)
                self.answers[answer.status_code] += 1
                if answer.status_code == httpx2.codes.ACCEPTED:
                    self.taken.append(Sent(f"port-qd {said['id']}", True, answer.json()["id"]))
                    break
                assert answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE, answer.text
                self.without_retry_after += "retry-after" not in answer.headers


async def gateway_cut_off(ground: Ground) -> Sequence[Verdict]:
    """The broker freezes under POSTs: 503 with Retry-After once too many wait; accepted events arrive once."""
    settings = {"gateway": {"TRADE_KAFKA__MAX_UNSENT": str(MAX_UNSENT)}}
    async with on_platform(ground, settings) as (platform, firms), _frozen_at_the_end(ground.infrastructure):
        gateway, broker = platform.parts["gateway"].pid, ground.infrastructure.kafka.pid
        assert gateway is not None and broker is not None
        hammer, done = Hammer(firms), asyncio.Event()
        hammering = asyncio.create_task(hammer.until(done))
        await eventually(lambda: _taken(hammer, 50), within_seconds=60)
        os.kill(broker, signal.SIGSTOP)
        before, held = len(hammer.taken), [memory_bytes(gateway)]
        await eventually(lambda: _refused(hammer, REFUSALS, held, gateway), within_seconds=90, every_seconds=0.2)
        while_frozen = len(hammer.taken) - before
        os.kill(broker, signal.SIGCONT)
        await eventually(lambda: _taken(hammer, before + while_frozen + 20), within_seconds=90)
        done.set()
        await hammering
        world = await at_rest(platform)
        faults = []
        if while_frozen > MAX_UNSENT + 2 * CLIENTS:
            faults.append(f"10: {while_frozen} were taken while the publisher was cut off, {MAX_UNSENT} may wait")
        if max(held) - held[0] > GROWTH_BYTES:
            faults.append(f"10: the gateway grew from {held[0]} to {max(held)} bytes")
        if hammer.without_retry_after:
            faults.append(f"10: {hammer.without_retry_after} refusals did not say when to come again")
        return kept(judged(world, hammer.taken, more=faults), but={4, 5, 6})  # there are no declarations


@asynccontextmanager
async def _frozen_at_the_end(servers: Infrastructure) -> AsyncIterator[None]:
    """The broker is always thawed: otherwise nothing could be stopped."""
    try:
        yield
    finally:
        if servers.kafka.pid is not None:
            os.kill(servers.kafka.pid, signal.SIGCONT)


async def _taken(hammer: Hammer, count: int) -> bool:
    return len(hammer.taken) >= count


async def _refused(hammer: Hammer, count: int, held: list[int], pid: int) -> bool:
    held.append(memory_bytes(pid))
    return hammer.answers[httpx2.codes.SERVICE_UNAVAILABLE] >= count


async def declarations_cut_off(ground: Ground) -> Sequence[Verdict]:
    """Declarations can read but not publish: it pauses its consumption, and catches up when it can publish again."""
    settings = {"declarations": {"TRADE_KAFKA__MAX_UNSENT": "5", "TRADE_KAFKA__MAX_RECORDS": "5"}}
    async with on_platform(ground, settings) as (platform, firms):
        shipments = [firms.shipment(number) for number in range(30)]
        await _refuse_writes(ground, DECLARATIONS)
        await asyncio.gather(*(each.lodge() for each in shipments))
        await eventually(lambda: _rests(platform), within_seconds=60, every_seconds=0.2)
        stored = await firms.client["declarations"]["declarations"].count_documents({})
        assert stored < len(shipments), "everything was consumed: nothing paused"
        await _take_writes(ground, DECLARATIONS)
        await asyncio.gather(*(each.until("prelodged") for each in shipments))
        world = await at_rest(platform)
        return kept(judged(world, firms.sent), but={6})  # nobody is notified before the goods arrive


async def _rests(platform: Platform) -> bool:
    log = (platform.layout.logs / "declarations.log").read_text(errors="replace")
    return any("consumption_rests" in line and "the outbox is full" in line for line in log.splitlines())


async def _refuse_writes(ground: Ground, topic: Topic) -> None:
    """Let the broker refuse every record as too old: existing records can be read, none can be written."""
    await _configure(ground, topic, {"message.timestamp.before.max.ms": "0"})


async def _take_writes(ground: Ground, topic: Topic) -> None:
    await _configure(ground, topic, {})


async def _configure(ground: Ground, topic: Topic, settings: Mapping[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=ground.servers.kafka)
    await admin.start()
    try:
        wanted = {**topic.settings(Profile.DEV), **settings}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=wanted)])
    finally:
        await admin.close()


async def toy_cut_off(ground: Ground) -> Sequence[Verdict]:
    """The toy can read but not publish: its door says OVERLOADED, its consumption pauses, everything arrives once."""
    oracle = Oracle()
    on_it = on_stage(ground.servers, ground.folder, ground.name)
    async with Sink(oracle) as sink, on_it as stage, load_on(stage, oracle, ground.seed) as load:
        stage.sink = sink.address
        settings = {"KAFKA__MAX_UNSENT": "20", "KAFKA__MAX_RECORDS": "10"}
        replica = stage.replica(settings=settings)
        await replica.start()
        await load.place(load.mixed(7))
        await _refuse_writes(ground, stage.events)
        await load.place([load.order() for _ in range(60)])
        await eventually(lambda: _says_it_is_full(replica), within_seconds=60, every_seconds=0.2)
        assert await _refusals_at_the_door(load, replica) == {"OVERLOADED"}
        orders = [load.order(Way.DOOR, counters=(f"d{number}",)) for number in range(20)]
        knocking = asyncio.create_task(load.knock(orders, replica.address, within=timedelta(seconds=120)))
        assert await _stored(ground, stage.name) < len(oracle.orders), "everything was consumed: nothing paused"
        await _take_writes(ground, stage.events)
        await knocking
        return await settled(stage, oracle)


async def _says_it_is_full(replica: Replica) -> bool:
    return any("the outbox is full" in line for line in replica.said("consumption_rests"))


async def _refusals_at_the_door(load: Load, replica: Replica) -> set[str]:
    """The door's codes for refused orders; they are not retried."""
    signer, reasons = TokenSigner(load.stage.keys, TESTER), set[str]()
    async with connect(replica.address, signer, load.stage.name) as channel:
        call = json_call(channel, PLACE)
        for number in range(10):
            order = {"counter": "refused", "number": f"r{number}", "amount": 1, "key": "Krefused"}
            try:
                await call({"command_id": f"refused-{number}", "order": order})
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.UNAVAILABLE, error
                reasons.add(reason_of(error) or str(error))
            else:
                reasons.add("taken")
    return reasons


async def _stored(ground: Ground, name: str) -> int:
    """How many inputs the toy remembers."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(ground.servers.mongo)
    async with client:
        return sum([len(each["history"]) async for each in client[name]["counters"].find({}, {"history": 1})])


CELLS = [
    Cell("pressure", "the gateway's publisher cut off", gateway_cut_off, own_servers=True),
    Cell("pressure", "declarations' publisher cut off", declarations_cut_off, own_servers=True),
    Cell("pressure", "the toy's publisher cut off", toy_cut_off, in_tests=True),
]
