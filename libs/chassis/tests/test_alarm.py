"""A loop wakes at once, on time, or periodically, and never misses an alarm set before it began to wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chassis.testing import ManualClock
from chassis.waiting.alarm import SELDOM_SECONDS, Alarm


class Looking:
    """A loop that records when it woke, in seconds from its start."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.alarm = Alarm(self.clock)
        self.looks: list[float] = []

    async def run(self) -> None:
        while True:
            self.looks.append(self.clock.monotonic())
            await self.alarm.rings()

    def due_in(self, seconds: float) -> None:
        self.alarm.set(self.clock.now() + timedelta(seconds=seconds))

    async def advance(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            await self.clock.advance(milliseconds=100)
            await asyncio.sleep(0)
            await asyncio.sleep(0)


@pytest.fixture
async def looking() -> AsyncIterator[Looking]:
    found = Looking()
    running = asyncio.create_task(found.run())
    await asyncio.sleep(0)
    yield found
    running.cancel()


async def test_at_rest_a_loop_looks_seldom(looking: Looking) -> None:
    await looking.advance(4 * SELDOM_SECONDS)
    assert 4 <= len(looking.looks) <= 5


async def test_what_is_due_now_is_looked_for_at_once(looking: Looking) -> None:
    looking.due_in(0)
    await looking.advance(0.1)
    assert len(looking.looks) == 2


async def test_each_moment_that_is_soon_is_kept_and_many_at_once_are_one_look(looking: Looking) -> None:
    for seconds in (2.0, 1.0, 2.0, 3.0):
        looking.due_in(seconds)
    await looking.advance(4)
    assert looking.looks == pytest.approx([0, 1, 2, 3], abs=0.2)


async def test_what_is_told_while_the_loop_works_is_looked_for_next() -> None:
    found = Looking()
    found.due_in(0)
    await asyncio.wait_for(found.alarm.rings(), 1)
    found.due_in(-1)
    await asyncio.wait_for(found.alarm.rings(), 1)


async def test_what_is_due_later_than_the_next_look_takes_no_room(looking: Looking) -> None:
    looking.due_in(SELDOM_SECONDS + 1)
    assert looking.alarm._moments == []
