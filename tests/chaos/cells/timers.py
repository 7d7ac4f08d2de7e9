"""Deadlines: those that passed during downtime fire once, and a wrong clock fires none."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from chaos.cells.ground import Cell, Ground, Verdict
from chaos.harness.shipment import passed
from chaos.judging.platform import kept
from chaos.toy.load import Load, load_on
from chaos.toy.oracle import Oracle, Order
from chaos.toy.settling import settled
from chaos.toy.stage import Replica, Stage, on_stage
from pymongo import AsyncMongoClient

from chassis.testing import eventually

DAY_SECONDS = 86_400


@asynccontextmanager
async def _toy(ground: Ground, oracle: Oracle) -> AsyncIterator[tuple[Stage, Load]]:
    on_it = on_stage(ground.servers, ground.folder, ground.name)
    async with on_it as stage, load_on(stage, oracle, ground.seed) as load:
        yield stage, load


async def due_while_the_service_is_away(ground: Ground) -> Sequence[Verdict]:
    async def away(stage: Stage, replicas: Sequence[Replica], until: datetime) -> None:
        for each in replicas:
            await each.child.kill()
        await passed(until)
        for each in replicas:
            await each.start()

    return await _due_while(ground, away)


async def due_while_the_database_is_away(ground: Ground) -> Sequence[Verdict]:
    async def away(stage: Stage, replicas: Sequence[Replica], until: datetime) -> None:
        await ground.infrastructure.kill_database()
        await passed(until)
        await ground.infrastructure.start_database()

    return await _due_while(ground, away)


async def due_while_the_broker_is_away(ground: Ground) -> Sequence[Verdict]:
    async def away(stage: Stage, replicas: Sequence[Replica], until: datetime) -> None:
        await ground.infrastructure.kill_kafka()
        await passed(until)
        await ground.infrastructure.start_kafka()

    return await _due_while(ground, away)


async def _due_while(ground: Ground, away: Callable[[Stage, Sequence[Replica], datetime], Any]) -> Sequence[Verdict]:
    """Bills that fall due during an outage fire once after it, from either of two replicas."""
    oracle = Oracle()
    async with (
        on_stage(ground.servers, ground.folder, ground.name) as stage,
        load_on(stage, oracle, ground.seed) as load,
    ):
        replicas = [stage.replica("a"), stage.replica("b")]
        await asyncio.gather(*(each.start() for each in replicas))
        bills = [load.order(pay_within=6.0, counters=(f"due{number}",)) for number in range(12)]
        await load.place(bills)
        dues = await _dues(stage, bills)
        assert max(dues) > datetime.now(UTC), "they fell due before anything was away"
        await away(stage, replicas, max(dues))
        verdicts = await settled(stage, oracle)
        return kept([*verdicts, await _fired_once(stage, bills)])


async def _dues(stage: Stage, bills: Sequence[Order]) -> Sequence[datetime]:
    """The due time of each bill, once all are stored."""

    async def all_stored() -> Sequence[datetime]:
        found = [each["due_at"] for each in await _counters(stage) if each.get("due_at")]
        assert len(found) == len(bills), f"{len(found)} bills are stored"
        return found

    return await eventually(all_stored, within_seconds=30)


async def _fired_once(stage: Stage, bills: Sequence[Order]) -> Verdict:
    """Each of these unpaid bills became overdue by exactly one firing, not early."""
    faults, counters = [], {each["_id"]: each for each in await _counters(stage)}
    for bill in bills:
        counter = counters[bill.counters[0]]
        fired = [line for line in counter["history"] if line["by"].startswith("timer:") and line["events"]]
        status = counter["state"]["bills"][bill.number]["status"]
        if len(fired) != 1 or status != "overdue":
            faults.append(f"8: bill {bill.number} fired {len(fired)} times and is {status}")
        early = [line for line in fired if line["at"] < datetime.fromisoformat(line["cause"].rpartition("/")[2])]
        faults += [f"8: {line['cause']} fired at {line['at']}, before it was due" for line in early]
    return Verdict(8, len(bills), faults)


async def _counters(stage: Stage) -> list[dict[str, Any]]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(stage.servers.mongo, tz_aware=True)
    async with client:
        return await client[stage.name]["counters"].find().to_list()


async def clock_a_day_ahead(ground: Ground) -> Sequence[Verdict]:
    """A replica whose clock is a day ahead fires nothing and logs why; one with the right time fires once."""
    oracle = Oracle()
    async with (
        on_stage(ground.servers, ground.folder, ground.name) as stage,
        load_on(stage, oracle, ground.seed) as load,
    ):
        right = stage.replica("a")
        ahead = stage.replica("b", settings={"CLOCK_AHEAD_SECONDS": str(DAY_SECONDS)})
        await right.start()
        bills = [load.order(pay_within=12.0, counters=(f"due{number}",)) for number in range(4)]
        await load.place(bills)
        dues = await _dues(stage, bills)
        await right.child.kill()
        await ahead.start()
        await _says_that_timers_rest(ahead)
        await passed(max(dues))
        assert [each["due_at"] for each in await _counters(stage) if each.get("due_at")] == list(dues), "it fired"
        await right.start()
        verdicts = await settled(stage, oracle)
        return kept([*verdicts, await _fired_once(stage, bills)])


async def _says_that_timers_rest(replica: Replica) -> None:
    """Its log states the difference of the clocks, and its metric is set."""

    async def says_so() -> bool:
        assert await replica.metric('trade_timers_rest{timer="counter"}') == 1, "the metric is down"
        apart = [json.loads(line)["seconds"] for line in replica.said("clock_differs")]
        return bool(apart) and all(abs(each - DAY_SECONDS) < 60 for each in apart)

    await eventually(says_so, within_seconds=30, every_seconds=0.2)


CELLS = [
    Cell("timers", "due while the service is away", due_while_the_service_is_away),
    Cell("timers", "due while the database is away", due_while_the_database_is_away, own_servers=True),
    Cell("timers", "due while the broker is away", due_while_the_broker_is_away, own_servers=True),
    Cell("timers", "a clock that is a day ahead", clock_a_day_ahead),
]
