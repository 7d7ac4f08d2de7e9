"""The six real services, one after the other, struck at a fail point of theirs while shipments are under way.

The toy meets every point; here it is seen that a real service, with its handlers, stores and peers, is no
exception. A cell is one fault on all six; which point each service meets is seeded.
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
"""Under way while one service is struck."""
CLOSED_WITHIN_SECONDS = 240.0
STRIKES_WITHIN_SECONDS = 60.0
FROZEN_SECONDS = 12.0
"""Longer than a session of the consumer group."""

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
"""Service → the points that it passes while shipments go their way; the registry while firms are registered."""


async def strike(platform: Platform, service: str, order: str) -> None:
    """Arm one point of one service, wait until it is met, and bring the service back.

    Raises:
        AssertionError: it was not met.
    """
    await meet(platform, service, order, within_seconds=STRIKES_WITHIN_SECONDS)
    await bring_back(platform, service, still_seconds=FROZEN_SECONDS)


async def _register(platform: Platform) -> None:
    """Register the firms as a client that tries again while the registry is away."""
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
    """One fault on all six."""
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
