"""Cells with faulty deliveries: duplicated, out of order, of another version, unreadable, refused, too large.

Records that must be read in one batch, bad and good, are put on the topics before the toy starts.
"""

import base64
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from chaos.cells.ground import Cell, Ground
from chaos.cells.scene import Scene, scene
from chaos.judging.verdicts import Verdict
from chaos.toy.settling import all_read, settled
from pymongo import AsyncMongoClient

from chassis.testing import eventually
from contracts.topics import MAX_MESSAGE_BYTES, Profile

GROUP = "deliveries"
COLLECTIONS = ("counters", "letters")
SMALL_BYTES = 8_000
"""The largest record that the broker is set to accept from the toy."""


async def twice(ground: Ground) -> Sequence[Verdict]:
    """Everything is delivered three times at once, and again long after it was processed."""
    async with scene(ground) as on:
        orders = on.load.mixed(21)
        for order in orders:
            await on.load.place_one(order, copies=3)
        await on.replica.start()
        await settled(on.stage, on.oracle)
        await on.load.place(orders)
        verdicts = await settled(on.stage, on.oracle)
        seen = await on.replica.metric('trade_deliveries_total{outcome="duplicate"}')
        assert seen >= 3 * len(orders), f"only {seen} duplicates were seen"
        return verdicts


async def out_of_order(ground: Ground) -> Sequence[Verdict]:
    """The events of one emitter arrive as 3, 1, 3, 5, 2, 1, 4: a late first copy counts, a second copy does not."""
    async with scene(ground) as on:
        made = [on.load.order(counters=("late",), key="Klate") for _ in range(5)]
        numbered = {number: replace(order, id=f"emitter/0.{number}") for number, order in enumerate(made, 1)}
        arrival = (3, 1, 3, 5, 2, 1, 4)
        for number in arrival:
            await on.load.place_one(numbered[number])
        await on.replica.start()
        verdicts = await settled(on.stage, on.oracle)
        taken = await on.orders_at("late")
        assert taken == [numbered[number].id for number in dict.fromkeys(arrival)], f"it took {taken}"
        assert await on.replica.metric('trade_deliveries_total{outcome="duplicate"}') >= 2
        return verdicts


async def version_before(ground: Ground) -> Sequence[Verdict]:
    """Events written by a replica of the previous release count like those of the current one."""
    async with scene(ground) as on:
        for number in range(20):
            order = on.load.order()
            await (on.load.place_before(order) if number % 2 else on.load.place_one(order))
        await on.replica.start()
        return await settled(on.stage, on.oracle)


async def large_record(ground: Ground) -> Sequence[Verdict]:
    """One record of 900 kB, among small ones of the same key and of other keys."""
    async with scene(ground) as on:
        around = on.load.mixed(7)
        large = [replace(each, key="Klarge") for each in (on.load.order(), on.load.order(), on.load.order())]
        await on.load.place(around)
        for padding, order in zip((0, 900_000, 0), large, strict=True):
            await on.load.place_one(order, padding=padding)
        await on.replica.start()
        return await settled(on.stage, on.oracle)


async def refused_for_good(ground: Ground) -> Sequence[Verdict]:
    """Kafka refuses an event of one counter: only this event and those after it of that counter wait."""
    async with scene(ground) as on:
        await _take_at_most(on, SMALL_BYTES)
        await on.replica.start()
        packs_badly = base64.b64encode(random.Random(ground.seed).randbytes(2 * SMALL_BYTES)).decode()
        large = on.load.order(counters=("large",), key=packs_badly)
        behind = [on.load.order(counters=("large",), key="Klarge") for _ in range(3)]
        await on.load.place([large])
        await eventually(lambda: _stuck(on), within_seconds=30.0)
        await on.load.place([*behind, *on.load.mixed(14)])
        await on.until_taken(*behind)
        await eventually(lambda: _only_one_waits(on, "large"), within_seconds=30.0, every_seconds=0.3)
        await _take_at_most(on, MAX_MESSAGE_BYTES)
        await on.replica.child.stop()
        await on.replica.start()
        return await settled(on.stage, on.oracle)


async def _take_at_most(on: Scene, size: int) -> None:
    """Change the largest record that the broker accepts on the toy's own topic."""
    configs = on.stage.events.settings(Profile.DEV) | {"max.message.bytes": str(size)}
    admin = AIOKafkaAdminClient(bootstrap_servers=on.stage.servers.kafka)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, on.stage.events.name, configs=configs)])
    finally:
        await admin.close()


async def _stuck(on: Scene) -> bool:
    return bool(on.replica.said("event_refused_for_good"))


async def _only_one_waits(on: Scene, counter: str) -> bool:
    """Whether everything was read and sent except one counter's events; those do not count as a backlog."""
    await all_read(on.stage)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(on.stage.servers.mongo)
    try:
        unsent = {"outbox.time": {"$exists": True}}
        database = client[on.stage.name]
        found = [await database[name].find(unsent).to_list() for name in COLLECTIONS]
    finally:
        await client.close()
    waiting = [each["_id"] for documents in found for each in documents]
    assert waiting == [counter], f"{waiting} have unsent events"
    assert await on.replica.metric("trade_stuck_documents_total") == 1
    return await on.replica.metric("trade_unsent_events") == 0


CELLS = [
    Cell(GROUP, "everything four times", twice),
    Cell(GROUP, "late first copies", out_of_order, in_tests=True),
    Cell(GROUP, "records of the version before", version_before),
    Cell(GROUP, "a record of 900 kB", large_record),
    Cell(GROUP, "an event that Kafka refuses for good", refused_for_good),
]
