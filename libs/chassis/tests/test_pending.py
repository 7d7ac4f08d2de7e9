"""Pending work waits for its peer, is done in batches, and a faulty document affects only itself."""

from collections.abc import Sequence

import pytest
from tallies import MOMENT, TALLY, TOPIC, Add, Tally, add, parked_delivery

from chassis.aggregates import Input
from chassis.testing import ManualClock, MemoryParking, in_memory
from chassis.waiting.pending import PendingWork


class World:
    def __init__(self, batch: int = 2) -> None:
        self.clock = ManualClock(MOMENT)
        self.parking = MemoryParking(self.clock)
        self.tallies, self.outbox = in_memory(TALLY, topic=TOPIC, clock=self.clock)
        self.away = False
        self.steps: list[str] = []
        self.asked: list[int] = []
        self.work = PendingWork(
            self.tallies,
            self.answer,
            parking=self.parking,
            park_step=self.park_step,
            clock=self.clock,
            batch=batch,
            name="look-up",
        )

    async def answer(self, states: Sequence[Tally]) -> Sequence[Input[Add] | None]:
        """A peer that knows every first amount, fails at 13, and is unavailable at times."""
        if self.away:
            raise ConnectionError("the peer is away")
        self.asked.append(len(states))
        if any(state.order[0] == 13 for state in states):
            raise ZeroDivisionError
        return [add(f"T-{state.order[0]}", f"answer-{state.order[0]}", 100) for state in states]

    async def park_step(self, target: str, step: str, error: Exception) -> None:
        self.steps.append(target)
        await self.parking.park([parked_delivery(target)])

    async def wait_for(self, *numbers: int) -> None:
        await self.tallies.apply([add(f"T-{number}", f"c-{number}", number, waiting=MOMENT) for number in numbers])

    async def total(self, number: int) -> int:
        tally = await self.tallies.get(f"T-{number}")
        return tally.total if tally else 0


async def test_all_that_waits_is_done_in_batches() -> None:
    world = World()
    await world.wait_for(1, 2, 3)
    while await world.work.step():
        pass
    assert [await world.total(number) for number in (1, 2, 3)] == [101, 102, 103]
    assert world.asked == [2, 1]


async def test_a_peer_that_is_away_delays_and_changes_nothing() -> None:
    world = World()
    await world.wait_for(1)
    world.away = True
    with pytest.raises(ConnectionError):
        await world.work.step()
    assert (await world.total(1), world.steps) == (1, [])
    world.away = False
    await world.work.step()
    assert await world.total(1) == 101


async def test_one_document_that_breaks_the_work_is_parked_alone() -> None:
    world = World(batch=10)
    await world.wait_for(1, 13, 2)
    await world.work.step()
    assert world.steps == ["T-13"]
    assert [await world.total(number) for number in (1, 13, 2)] == [101, 13, 102]


async def test_parked_documents_do_not_hold_back_those_behind_them() -> None:
    world = World(batch=2)
    await world.wait_for(1, 2, 3, 4)
    await world.parking.park([parked_delivery(f"T-{number}") for number in (1, 2, 3)])
    await world.work.step()
    assert [await world.total(number) for number in (1, 2, 3, 4)] == [1, 2, 3, 104]


async def test_work_before_its_time_is_left() -> None:
    world = World()
    await world.wait_for(1)
    await world.tallies.apply_one(add("T-9", "c-9", 9, waiting=MOMENT.replace(hour=9)))
    await world.work.step()
    assert await world.total(9) == 9
    await world.clock.advance(hours=1)
    await world.work.step()
    assert await world.total(9) == 109
