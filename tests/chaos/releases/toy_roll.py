"""Rolling restarts of the toy under load, forth and back over three releases; and replicas that do not fit."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from chaos.cells.ground import Cell, Ground, Verdict
from chaos.judging.platform import kept
from chaos.releases.meanwhile import meanwhile
from chaos.releases.replica_client import PAUSE_SECONDS, Client
from chaos.toy.doors import PLACE, json_call
from chaos.toy.load import Load, Sink, load_on
from chaos.toy.oracle import Oracle, Way
from chaos.toy.settling import settled
from chaos.toy.staff import clear
from chaos.toy.stage import TESTER, Replica, Stage, on_stage
from pymongo import AsyncMongoClient

from chassis.rpc import connect
from chassis.rpc.identity import TokenSigner
from chassis.testing import eventually
from launcher.platform import says_ready

BETWEEN_SECONDS = 1.0


async def toy_rolls(ground: Ground) -> Sequence[Verdict]:
    """Two replicas of the toy, release 1 to 2, back, to 2 again and to 3, while orders come over Kafka and the door."""
    oracle = Oracle()
    on_it = on_stage(ground.servers, ground.folder, ground.name)
    async with Sink(oracle) as sink, on_it as stage, load_on(stage, oracle, ground.seed) as load:
        stage.sink = sink.address
        running = {each: stage.replica(each, settings=_release(1)) for each in ("a", "b")}
        await asyncio.gather(*(each.start() for each in running.values()))
        async with _orders(stage, load, list(running.values())) as client:
            await _roll(stage, running, client, 2)
            newer = await eventually(lambda: _with_newer_field(stage), within_seconds=60)
            await _roll(stage, running, client, 1)
            await eventually(lambda: _saved_by_the_older(stage, newer), within_seconds=60, every_seconds=0.2)
            await _roll(stage, running, client, 2)
            await _roll(stage, running, client, 3)
        verdicts = await settled(stage, oracle)
        return kept([*verdicts, client.verdict()])


def _release(number: int) -> Mapping[str, str]:
    return {"RELEASE": str(number)}


async def _roll(stage: Stage, running: dict[str, Replica], client: Client, release: int) -> None:
    """Replace one replica after the other."""
    for place, (instance, old) in enumerate(list(running.items())):
        await old.child.stop()
        running[instance] = stage.replica(instance, settings=_release(release))
        await running[instance].start()
        await client.reaches(place)


@asynccontextmanager
async def _orders(stage: Stage, load: Load, replicas: Sequence[Replica]) -> AsyncIterator[Client]:
    """Orders one after the other, over Kafka and at the door, for as long as the block lasts."""
    signer = TokenSigner(stage.keys, TESTER)
    async with contextlib.AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(connect(each.address, signer, stage.name, deadline_seconds=15.0))
            for each in replicas
        ]
        client = Client([json_call(each, PLACE) for each in channels])

        async def over_kafka() -> None:
            await load.place(load.mixed(7))
            await asyncio.sleep(BETWEEN_SECONDS)  # so many questions as two replicas can answer

        async def at_the_door() -> None:
            order = load.order(Way.DOOR)
            load.oracle.orders[order.id] = order
            asked = {"counter": order.counters[0], "number": order.number, "amount": order.amount, "key": order.key}
            await client.ask({"command_id": order.id, "order": asked})
            load.oracle.acknowledged.add(order.id)
            await asyncio.sleep(PAUSE_SECONDS)

        async with meanwhile(over_kafka, at_the_door):
            yield client


async def _counters(stage: Stage) -> dict[str, dict[str, Any]]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(stage.servers.mongo)
    async with client:
        return {each["_id"]: each async for each in client[stage.name]["counters"].find()}


async def _with_newer_field(stage: Stage) -> Mapping[str, dict[str, Any]]:
    """Counters that have the newer release's field, once there are some."""
    return {id_: each for id_, each in (await _counters(stage)).items() if (each["state"] or {}).get("orders")}


async def _saved_by_the_older(stage: Stage, newer: Mapping[str, dict[str, Any]]) -> bool:
    """Whether the older release has counted on all of them, and each still has the field.

    Raises:
        AssertionError: it has lost one, or has not counted on yet.
    """
    now = await _counters(stage)
    for id_, before in newer.items():
        assert now[id_]["state"]["total"] > before["state"]["total"], f"{id_} was not counted on yet"
        assert now[id_]["state"].get("orders", 0) >= before["state"]["orders"], f"{id_} has lost the newer field"
    return True


async def older_meets_newer_schema(ground: Ground) -> Sequence[Verdict]:
    """A release that cannot read what a newer one wrote leaves it alone, with an alarm; the newer one goes on."""
    oracle = Oracle()
    on_it = on_stage(ground.servers, ground.folder, ground.name)
    async with on_it as stage, load_on(stage, oracle, ground.seed) as load:
        newest = stage.replica(settings=_release(3))
        await newest.start()
        await load.place([load.order(counters=("kept",), key="Kkept") for _ in range(3)])
        await settled(stage, oracle)
        await newest.child.stop()
        before = (await _counters(stage))["kept"]

        oracle.unreadable.add("kept")
        oldest = stage.replica(settings=_release(1))
        await oldest.start()
        await load.place([load.order(counters=("kept",), key="Kkept"), load.order(counters=("other",), key="Kother")])
        await eventually(lambda: _is_counted(stage, "other"), within_seconds=60, every_seconds=0.2)
        await eventually(lambda: _alarmed(oldest), within_seconds=60, every_seconds=0.2)
        after = (await _counters(stage))["kept"]
        assert (after["version"], after["schema"], after["state"]) == (before["version"], 2, before["state"])
        await oldest.child.stop()

        newest = stage.replica(settings=_release(3))
        await newest.start()
        await clear(stage, newest)
        return await settled(stage, oracle)


async def _is_counted(stage: Stage, counter: str) -> bool:
    return counter in await _counters(stage)


async def _alarmed(replica: Replica) -> bool:
    return any(json.loads(line)["aggregate"] == "kept" for line in replica.said("document_unreadable"))


async def one_name_twice(ground: Ground) -> Sequence[Verdict]:
    """Of two replicas with one instance name the older steps aside and says why; nothing is lost between them."""
    oracle = Oracle()
    on_it = on_stage(ground.servers, ground.folder, ground.name)
    async with Sink(oracle) as sink, on_it as stage, load_on(stage, oracle, ground.seed) as load:
        stage.sink = sink.address
        older, newer = stage.replica("a"), stage.replica("b", settings={"INSTANCE": "a"})
        await older.start()
        await load.place(load.mixed(14))
        await asyncio.gather(newer.start(), load.place(load.mixed(14)))
        await eventually(lambda: _stands_aside(older), within_seconds=30, every_seconds=0.2)
        await load.place(load.mixed(14))
        verdicts = await settled(stage, oracle)
        assert await says_ready(f"{newer.admin}/readyz"), "the newer one has the name, and is not ready"
        assert not newer.said("instance_name_taken")
        return verdicts


async def _stands_aside(replica: Replica) -> bool:
    """Whether it is not ready because of its name, and alive."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        why = (await client.get(f"{replica.admin}/readyz")).json().get("not_ready", {})
        alive = (await client.get(f"{replica.admin}/livez")).status_code == httpx2.codes.OK
    return alive and "instance name a" in why.get("service", "") and bool(replica.said("instance_name_taken"))


CELLS = [
    Cell("upgrade", "the toy rolls forth and back", toy_rolls),
    Cell("upgrade", "an older release meets a newer schema", older_meets_newer_schema, in_tests=True),
    Cell("upgrade", "one instance name twice", one_name_twice),
]
