"""The starting point of most toy cells: a toy that is not started yet, its load, and the oracle of both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from chaos.cells.ground import Ground
from chaos.toy.load import Load, Sink, load_on
from chaos.toy.oracle import Oracle, Order
from chaos.toy.stage import Replica, Stage, on_stage
from pymongo import AsyncMongoClient

from chassis.testing import eventually


@dataclass
class Scene:
    """A toy that is not started yet, and its input."""

    oracle: Oracle
    stage: Stage
    load: Load
    replica: Replica

    async def orders_at(self, counter: str) -> list[str]:
        """A counter's accepted orders, in order of acceptance."""
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self.stage.servers.mongo)
        try:
            found = await client[self.stage.name]["counters"].find_one({"_id": counter}) or {"history": []}
        finally:
            await client.close()
        return [line["cause"] for line in found["history"] if line["cause"] in self.oracle.orders]

    async def until_taken(self, *orders: Order, within_seconds: float = 30.0) -> None:
        """Wait until each order has been counted by its counter."""

        async def taken() -> bool:
            for order in orders:
                assert order.id in await self.orders_at(order.counters[0]), f"{order.id} did not count"
            return True

        await eventually(taken, within_seconds=within_seconds, every_seconds=0.2)


@asynccontextmanager
async def scene(ground: Ground) -> AsyncIterator[Scene]:
    """Everything but the start of the toy."""
    oracle = Oracle()
    async with (
        Sink(oracle) as sink,
        on_stage(ground.servers, ground.folder, ground.name) as stage,
        load_on(stage, oracle, ground.seed) as load,
    ):
        stage.sink = sink.address
        yield Scene(oracle, stage, load, stage.replica())
