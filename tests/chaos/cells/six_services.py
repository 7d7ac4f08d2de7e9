"""Each of the six real services meets a fault at one of its fail points while shipments are in progress.

The toy meets every point; these cells show the same for real services with their handlers, stores and peers. A cell is
one fault on all six; the point of each service is seeded.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from functools import partial

import grpc
from chaos.cells.ground import Cell, Ground, Verdict
from chaos.harness.breaking import at_rest, closed, traffic_on
from chaos.harness.faults import bring_back, meet
from chaos.judging.invariants import Sent
from chaos.judging.platform import judged, kept

from chassis.failpoints import Fault
from launcher.platform import Platform
from trade_cli.demo_facts import facts
from trade_cli.enrolment import register
from trade_cli.platform import load_platform

SHIPMENTS = 4
"""Shipments in progress while one service meets its fault."""
CLOSED_WITHIN_SECONDS = 240.0
STRIKES_WITHIN_SECONDS = 60.0
FROZEN_SECONDS = 12.0
"""Longer than the consumer group's session timeout."""

_SAVING = ("load.after", "save.before", "save.after", "publish.before", "publish.sent", "publish.after")
_READING = ("batch.read", "commit.before", "commit.after")

POINTS: Mapping[str, Sequence[str]] = {
    "registry": _SAVING,
    "gateway": (*_SAVING, *_READING),
    "declarations": (*_SAVING, *_READING, "peer.before", "peer.answered"),
    "notifications": (*_SAVING, *_READING, "peer.answered", "claim.before", "claim.after", "send.after"),
    "matching": _READING,
    "tracking": _READING,
}
"""Service → the points that it passes while shipments proceed; the registry's, while firms are registered."""


async def strike(platform: Platform, service: str, order: str) -> None:
    """Arm one point of one service, wait for the fault there, and restore the service.

    Raises:
        AssertionError: the fault did not occur.
    """
    await meet(platform, service, order, within_seconds=STRIKES_WITHIN_SECONDS)
    await bring_back(platform, service, still_seconds=FROZEN_SECONDS)


async def _register(platform: Platform) -> None:
    """Register the firms like a client that retries while the registry is down."""
    while True:
        try:
            await register(load_platform(platform.layout.description), facts().enterprises)
        except grpc.aio.AioRpcError as error:
            if error.code() not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
                raise
            await asyncio.sleep(0.5)  # a client's pause between two attempts
        else:
            return


async def try_services(fault: Fault, ground: Ground) -> Sequence[Verdict]:
    """Inject one fault into all six."""
    chance = random.Random(ground.seed)
    orders = {service: f"{chance.choice(points)}:{fault}:{chance.randint(1, 3)}" for service, points in POINTS.items()}
    async with Platform(ground.folder / "platform", infrastructure=ground.infrastructure) as platform:
        async with asyncio.TaskGroup() as group:
            group.create_task(strike(platform, "registry", orders.pop("registry")))
            group.create_task(_register(platform))
        sent: list[Sent] = []
        for number, (service, order) in enumerate(orders.items()):
            seed = ground.seed % 10**6 * 10 + number
            async with (
                traffic_on(platform, shipments=SHIPMENTS, seed=seed) as traffic,
                asyncio.TaskGroup() as group,
            ):
                group.create_task(traffic.run(CLOSED_WITHIN_SECONDS))
                group.create_task(strike(platform, service, order))
            sent += traffic.sent
        world = await at_rest(platform)
        verdicts = kept(judged(world, sent))
        assert closed(world) == SHIPMENTS * len(orders)
        return verdicts


CELLS: Sequence[Cell] = tuple(
    Cell("services", f"all six services × {fault}", partial(try_services, fault), own_servers=True, limit_seconds=400.0)
    for fault in Fault
)
