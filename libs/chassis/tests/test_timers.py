"""A deadline fires once, and not before everything that came in time was read."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from aiokafka import TopicPartition
from tallies import MOMENT, TALLY, TOPIC, Add, Tally, add, parked_delivery

from chassis.testing import ManualClock, MemoryParking, in_memory
from chassis.waiting import timers as timers_module
from chassis.waiting.timers import CLOCK_TOLERANCE, Passing, Timers

PARTITION = TopicPartition("in.v1", 0)


class Group:
    """A consumer group: the end of its topic and its committed offset."""

    def __init__(self) -> None:
        self.end = 10
        self.committed = 10
        self.samples = 0

    async def ends(self) -> Mapping[TopicPartition, int]:
        self.samples += 1
        return {PARTITION: self.end}

    async def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        return self.committed >= ends[PARTITION]


class World:
    def __init__(self) -> None:
        self.clock = ManualClock(MOMENT)
        self.group = Group()
        self.parking = MemoryParking(self.clock)
        self.tallies, self.outbox = in_memory(TALLY, topic=TOPIC, clock=self.clock)
        self.apart = timedelta(0)
        self.steps: list[tuple[str, str]] = []
        self.amount = 100
        self.timers = self.another_replica()

    def another_replica(self) -> Timers[Tally, Add]:
        return Timers(
            self.tallies,
            lambda _: Passing("payment", Add(self.amount)),
            progress=self.group,
            parking=self.parking,
            park_step=self.park_step,
            server_time=self.server_time,
            clock=self.clock,
        )

    async def server_time(self) -> datetime:
        return self.clock.now() + self.apart

    async def park_step(self, target: str, step: str, error: Exception) -> None:
        self.steps.append((target, step))

    async def due_in(self, seconds: float, target: str = "T-1") -> None:
        await self.tallies.apply_one(add(target, f"c-{target}", due=self.clock.now() + timedelta(seconds=seconds)))

    async def total(self, target: str = "T-1") -> int:
        tally = await self.tallies.get(target)
        return tally.total if tally else 0


async def test_it_fires_once_when_due_and_not_before() -> None:
    world = World()
    await world.due_in(10)
    await world.clock.advance(seconds=9)
    await world.timers.fire_due()
    assert await world.total() == 1
    await world.clock.advance(seconds=1)
    await world.timers.fire_due()
    await world.timers.fire_due()
    assert await world.total() == 101
    due = (MOMENT + timedelta(seconds=10)).isoformat()
    assert world.outbox.published[-1]["cause"] == f"T-1/payment/{due}"
    assert world.outbox.published[-1]["by"] == "timer:payment"


async def test_it_waits_until_the_committed_offsets_reach_the_ends_sampled_after_the_due_time() -> None:
    world = World()
    await world.due_in(10)
    world.group.end = 12
    await world.clock.advance(seconds=10)
    await world.timers.fire_due()
    world.group.committed, world.group.end = 11, 99
    await world.timers.fire_due()
    assert await world.total() == 1
    world.group.committed = 12
    await world.timers.fire_due()
    assert await world.total() == 101


async def test_a_sample_from_before_a_due_time_does_not_cover_it() -> None:
    world = World()
    await world.due_in(10, "T-1")
    await world.due_in(20, "T-2")
    world.group.committed = 5
    await world.clock.advance(seconds=10)
    await world.timers.fire_due()
    world.group.end = 50  # comes between the two deadlines
    await world.clock.advance(seconds=10)
    world.group.committed = 10
    await world.timers.fire_due()
    assert (await world.total("T-1"), await world.total("T-2")) == (101, 1)
    await world.timers.fire_due()
    assert await world.total("T-2") == 1, "its own sample says 50"
    world.group.committed = 50
    await world.timers.fire_due()
    assert await world.total("T-2") == 101


async def test_a_target_with_parked_input_waits_and_others_do_not() -> None:
    world = World()
    await world.due_in(10, "T-1")
    await world.due_in(10, "T-2")
    await world.parking.park([parked_delivery("T-1")])
    await world.clock.advance(seconds=10)
    await world.timers.fire_due()
    assert (await world.total("T-1"), await world.total("T-2")) == (1, 101)
    assert await world.parking.release("T-1", await world.parking.lock_version("T-1") or 0)
    await world.timers.fire_due()
    assert await world.total("T-1") == 101


async def test_timers_rest_while_the_clocks_are_apart() -> None:
    world = World()
    await world.due_in(10)
    await world.clock.advance(seconds=10)
    for world.apart in (2 * CLOCK_TOLERANCE, -2 * CLOCK_TOLERANCE):
        await world.timers.fire_due()
        assert await world.total() == 1
    world.apart = CLOCK_TOLERANCE / 2
    await world.timers.fire_due()
    assert await world.total() == 101


async def test_two_replicas_fire_once() -> None:
    world = World()
    await world.due_in(10)
    await world.clock.advance(seconds=10)
    one, other = world.timers, world.another_replica()
    await one.fire_due()
    await other.fire_due()
    assert await world.total() == 101


async def test_a_timer_that_raises_is_parked() -> None:
    world = World()
    world.amount = -1
    await world.due_in(10)
    await world.clock.advance(seconds=10)
    await world.timers.fire_due()
    assert world.steps == [("T-1", "payment")]


async def test_a_batch_of_parked_targets_does_not_hold_back_the_rest() -> None:
    world = World()
    locked = [f"L-{number}" for number in range(timers_module.BATCH)]
    for target in locked:
        await world.due_in(1, target)
    await world.due_in(2, "T-1")
    await world.parking.park([parked_delivery(target) for target in locked])
    await world.clock.advance(seconds=10)
    await world.timers.fire_due()
    assert await world.total("T-1") == 101
