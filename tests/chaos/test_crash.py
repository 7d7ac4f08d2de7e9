"""Fifty shipments while every service is killed, ten while broker and database are: nothing is lost or duplicated."""

import asyncio

from chaos.harness.breaking import KillServers, KillServices, at_rest, closed, traffic_on, world_of
from chaos.judging.invariants import GROUPS
from chaos.judging.platform import judged, kept
from chaos.judging.world import SERVICES

from launcher.platform import Platform

SHIPMENTS = 50
SEED = 20261124
CLOSED_WITHIN_SECONDS = 240


async def test_fifty_shipments_survive_the_killing_of_every_service(fragile: Platform) -> None:
    before = closed(await world_of(fragile))
    killing = KillServices(fragile, SEED)
    async with traffic_on(fragile, shipments=SHIPMENTS, seed=SEED) as traffic, asyncio.TaskGroup() as group:
        group.create_task(killing.run())
        group.create_task(traffic.run(CLOSED_WITHIN_SECONDS))
    world = await at_rest(fragile)
    assert sorted(killing.killed) == sorted(SERVICES)
    assert killing.faults == []
    assert sum(killing.looked_at.values()) > 0, killing.looked_at
    assert killing.looked_at.keys() == GROUPS.keys()
    kept(judged(world, traffic.sent))
    assert closed(world) == before + SHIPMENTS


async def test_killing_the_database_and_the_broker_loses_nothing(fragile: Platform) -> None:
    before = closed(await world_of(fragile))
    killing = KillServers(fragile, SEED + 1)
    async with traffic_on(fragile, shipments=10, seed=SEED + 1) as traffic, asyncio.TaskGroup() as group:
        group.create_task(killing.run())
        group.create_task(traffic.run(CLOSED_WITHIN_SECONDS))
    world = await at_rest(fragile)
    assert killing.killed == ["database", "kafka"]
    kept(judged(world, traffic.sent))
    assert closed(world) == before + 10


def test_no_service_met_anything_it_did_not_expect(fragile: Platform) -> None:
    """Killed and stopped parts are expected failures: a stack trace in a log is an unhandled bug."""
    stacks = [
        f"{log.name}: {line[:600]}"
        for log in sorted(fragile.layout.logs.glob("*.log*"))
        for line in log.read_text(errors="replace").splitlines()
        if "Traceback" in line
    ]
    assert stacks == []
