"""Many shipments are in progress while every service is killed, then the database, then the broker: the backlog of
each is processed, once.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from chaos.cells.ground import Cell, Ground, Verdict
from chaos.harness.breaking import KillServers, KillServices, at_rest, closed, traffic_on
from chaos.harness.traffic import Traffic
from chaos.judging.platform import judged, kept
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from chassis.tasks import cancel
from launcher.platform import Platform

SHIPMENTS = 70
AT_LEAST = 50
"""At least this many must be in progress at one moment."""
CLOSED_WITHIN_SECONDS = 500.0
LOOK_SECONDS = 1.0


class Watch:
    """The largest number of shipments in progress."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self.most = 0

    async def run(self) -> None:
        """Count from time to time, for ever."""
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self._traffic.mongo_url, timeoutMS=2000)
        async with client:
            while True:
                lodged = len({each.key for each in self._traffic.sent if each.key.startswith("declaration ")})
                with contextlib.suppress(PyMongoError):  # the database is killed too
                    ended = await client["declarations"]["declarations"].count_documents({"state.status": "closed"})
                    self.most = max(self.most, lodged - ended)
                await asyncio.sleep(LOOK_SECONDS)


async def crowd(ground: Ground) -> Sequence[Verdict]:
    """Run all of it on one platform.

    Raises:
        AssertionError: too few shipments were in progress, or an invariant failed.
    """
    async with Platform(ground.folder / "platform", infrastructure=ground.infrastructure) as platform:
        services, servers = KillServices(platform, ground.seed), KillServers(platform, ground.seed + 1)
        async with traffic_on(platform, shipments=SHIPMENTS, seed=ground.seed % 10**6) as traffic:
            watch = Watch(traffic)
            watching = asyncio.create_task(watch.run())

            async def kill() -> None:
                await services.run()
                await servers.run()

            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(kill())
                    group.create_task(traffic.run(CLOSED_WITHIN_SECONDS))
            finally:
                await cancel([watching])
        assert watch.most >= AT_LEAST, f"{watch.most} were under way at most: no crowd"
        world = await at_rest(platform)
        verdicts = kept(judged(world, traffic.sent, more=services.faults))
        assert closed(world) == SHIPMENTS
        return verdicts


CELLS = [
    Cell(
        "services", f"a crowd of {SHIPMENTS} shipments", crowd, own_servers=True, limit_seconds=900.0, in_samples=False
    ),
]
