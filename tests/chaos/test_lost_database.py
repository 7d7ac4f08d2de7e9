"""A database lost in the middle of work is rebuilt from the topics, equal, and work continues."""

from dataclasses import replace
from typing import Any

import pytest
from chaos.harness.breaking import at_rest, closed, traffic_on
from chaos.harness.traffic import Traffic
from chaos.judging.platform import judged, kept
from chaos.judging.world import remembered
from pymongo import AsyncMongoClient

from launcher.platform import Platform

SEED = 7
SHIPMENTS = 8
WITHIN_SECONDS = 120


async def lose(platform: Platform, service: str) -> None:
    """The service dies, and its database is gone."""
    await platform.kill(service)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(platform.describe()["mongo_url"])
    await client.drop_database(service)
    await client.close()


@pytest.mark.parametrize("service", ["declarations", "registry"])
async def test_a_lost_database_equals_the_one_rebuilt(fragile: Platform, service: str) -> None:
    async with traffic_on(fragile, shipments=SHIPMENTS, seed=SEED + len(service)) as whole:
        on_their_way: Traffic = replace(
            whole, answers=frozenset({"arrival"}), done=frozenset({"under_control", "assessed"})
        )
        await on_their_way.run(WITHIN_SECONDS)
        before = await at_rest(fragile)
        finished = closed(before)

        await lose(fragile, service)
        await fragile.rebuild(service)
        after = await at_rest(fragile)
        assert remembered(after, service) == remembered(before, service)
        assert len(after.first_said(f"{service}.events.v1")) == len(before.first_said(f"{service}.events.v1"))

        goes_on = replace(on_their_way, answers=whole.answers, done=whole.done)
        await goes_on.run(WITHIN_SECONDS)
    world = await at_rest(fragile)
    kept(judged(world, goes_on.sent))
    assert closed(world) == finished + SHIPMENTS
