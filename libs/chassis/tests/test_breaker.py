"""Too many deliveries parked for one reason pause all consumption, of raw topics too, on every replica."""

from collections.abc import Sequence

import pytest
from tallies import SOURCE_TOPIC, TALLY, TOPIC, a_record, subscription

from chassis.delivery.breaker import BREAKER_PARKS, BREAKER_SECONDS
from chassis.delivery.policy import DeliveryPolicy
from chassis.delivery.records import RawRecord
from chassis.delivery.subscriptions import RawSubscription
from chassis.failures import InfrastructureError
from chassis.telemetry import metrics
from chassis.testing import ManualClock, MemoryParking, in_memory

RAW_TOPIC = "raw.v1"
OLD = 999
"""The offset of a record that was parked long before the others."""


class Raw:
    """A handler of whole topics that may have a bug."""

    def __init__(self) -> None:
        self.broken = True
        self.seen: list[int] = []

    async def apply(self, records: Sequence[RawRecord]) -> None:
        if self.broken:
            raise ZeroDivisionError
        self.seen += [record.offset for record in records]


def raw(offset: int) -> RawRecord:
    return RawRecord(RAW_TOPIC, 0, offset, str(offset).encode(), (), b"{}", 0)


async def test_an_open_breaker_pauses_raw_topics_too() -> None:
    clock, handler = ManualClock(), Raw()
    parking = MemoryParking(clock)
    policy = DeliveryPolicy([RawSubscription(RAW_TOPIC, handler)], parking, clock, build="b-1")
    await policy.process([raw(offset) for offset in range(BREAKER_PARKS + 1)])
    handler.broken = False
    with pytest.raises(InfrastructureError, match="breaker"):
        await policy.process([raw(900)])
    assert handler.seen == []
    await policy.redrive("~breaker", actor="staff:li", reason="mended")
    await policy.process([raw(900)])
    assert handler.seen == [900]


async def test_a_breaker_that_another_process_opened_pauses_this_one() -> None:
    clock = ManualClock()
    parking = MemoryParking(clock)
    tallies, _ = in_memory(TALLY, topic=TOPIC, clock=clock)
    first, second = (DeliveryPolicy([subscription(tallies)], parking, clock, build=build) for build in ("b-1", "b-2"))
    many = [a_record(offset, -1, [f"T-{offset}"], key=str(offset)) for offset in range(BREAKER_PARKS + 1)]
    await first.process(many)
    with pytest.raises(InfrastructureError, match="breaker"):
        await second.process([a_record(900)])
    assert (await parking.waiting("T-1", 1))[0].position.topic == SOURCE_TOPIC


class Flood:
    """More parked deliveries than the breaker allows, and an older one of another kind."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.parking = MemoryParking(self.clock)
        self.tallies, _ = in_memory(TALLY, topic=TOPIC, clock=self.clock)
        self.handler = Raw()
        self.policy = DeliveryPolicy(
            [subscription(self.tallies), RawSubscription(RAW_TOPIC, self.handler)], self.parking, self.clock, build="b"
        )

    async def rise(self) -> None:
        await self.policy.process([a_record(0, -1, ["T-old"], key="old"), a_record(1, 1, ["T-old"], key="old")])
        await self.policy.process([raw(OLD)])
        await self.clock.advance(seconds=2 * BREAKER_SECONDS)
        await self.policy.process([raw(offset) for offset in range(BREAKER_PARKS + 1)])
        assert await self.is_open()

    async def is_open(self) -> bool:
        return await self.parking.breaker() is not None and metrics.BREAKER_OPEN._value.get() == 1

    async def redrive(self, target: str) -> int:
        return (await self.policy.redrive(target, actor="staff:li", reason="mended")).remaining


async def test_mending_something_else_leaves_the_breaker_open() -> None:
    flood = Flood()
    await flood.rise()
    assert await flood.policy.discard(f"{SOURCE_TOPIC}/0/0/T-old", actor="staff:li", reason="wrong")
    assert await flood.redrive("T-old") == 0
    flood.handler.broken = False
    assert await flood.redrive(raw(OLD).key_lock) == 0
    assert flood.handler.seen == [OLD]
    assert await flood.is_open(), "it was refused for the same reason, long before the flood"


async def test_a_redrive_that_fails_again_leaves_the_breaker_open() -> None:
    flood = Flood()
    await flood.rise()
    assert await flood.redrive(raw(3).key_lock) == 1
    assert await flood.is_open()


async def test_one_of_the_flood_that_gets_through_closes_the_breaker() -> None:
    flood = Flood()
    await flood.rise()
    flood.handler.broken = False
    assert await flood.redrive(raw(3).key_lock) == 0
    assert not await flood.is_open()
    await flood.policy.process([raw(900)])
    assert 900 in flood.handler.seen


async def test_discarding_the_last_of_the_flood_closes_the_breaker_and_no_sooner() -> None:
    flood = Flood()
    await flood.rise()
    for offset in range(BREAKER_PARKS + 1):
        assert await flood.is_open()
        await flood.policy.discard(f"{RAW_TOPIC}/0/{offset}/{raw(offset).key_lock}", actor="staff:li", reason="spam")
    assert not await flood.is_open()
