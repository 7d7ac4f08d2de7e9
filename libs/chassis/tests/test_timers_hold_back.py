"""A deadline waits for parked deliveries that may concern its document, and never becomes a busy loop."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aiokafka import TopicPartition
from tallies import MOMENT, SOURCE_TOPIC, TALLY, TOPIC, Add, Tally, add, parked_delivery

from chassis.testing import ManualClock, MemoryParking, in_memory
from chassis.waiting import timers as timers_module
from chassis.waiting.timers import Passing, Timers


class Caught:
    """A group that has read everything."""

    async def ends(self) -> Mapping[TopicPartition, int]:
        return {}

    async def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        return True


class World:
    def __init__(self, *, key: str = "key") -> None:
        self.clock = ManualClock(MOMENT)
        self.parking = MemoryParking(self.clock)
        self.tallies, _ = in_memory(replace(TALLY, key=lambda _: key), topic=TOPIC, clock=self.clock)
        self.amount = 100
        self.asked = 0
        self.timers: Timers[Tally, Add] = Timers(
            self.tallies,
            lambda _: Passing("payment", Add(self.amount)),
            progress=Caught(),
            parking=self.parking,
            park_step=self.park_step,
            server_time=self.server_time,
            clock=self.clock,
            topics=[SOURCE_TOPIC],
        )

    async def park_step(self, target: str, step: str, error: Exception) -> None:
        await self.parking.park([parked_delivery(target)])

    async def server_time(self) -> datetime:
        self.asked += 1
        return self.clock.now()

    async def due(self, target: str) -> None:
        await self.tallies.apply_one(add(target, f"c-{target}", due=MOMENT + timedelta(seconds=1)))

    async def total(self, target: str) -> int:
        tally = await self.tallies.get(target)
        return tally.total if tally else 0


async def test_it_waits_for_what_is_parked_by_the_key_of_its_document() -> None:
    world = World(key="K")
    await world.due("T-1")
    await world.parking.park([parked_delivery(f"{SOURCE_TOPIC}|K"), parked_delivery("elsewhere.v1|other")])
    await world.clock.advance(seconds=2)
    await world.timers.fire_due()
    assert await world.total("T-1") == 1, "its payment may be what cannot be read"
    lock = f"{SOURCE_TOPIC}|K"
    assert await world.parking.release(lock, await world.parking.lock_version(lock) or 0)
    await world.timers.fire_due()
    assert await world.total("T-1") == 101


async def test_a_deadline_that_still_stands_after_it_fired_is_parked_and_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timers_module, "BATCH", 2)
    world = World()
    world.amount = 0  # decides nothing, so the deadline stays
    await world.due("T-1")
    await world.due("T-2")
    await world.clock.advance(seconds=2)
    await world.timers.fire_due()
    assert await world.parking.locked(["T-1", "T-2"]) == {"T-1", "T-2"}
    world.amount = 100
    await world.due("T-3")
    await world.timers.fire_due()
    assert await world.total("T-3") == 101
