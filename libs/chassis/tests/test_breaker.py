"""Too much parked of one reason pauses consumption as a whole, of raw topics too, and is shown wherever it was seen."""

from collections.abc import Sequence

import pytest
from tallies import SOURCE_TOPIC, TALLY, TOPIC, a_record, subscription

from chassis.clock import ManualClock
from chassis.delivery import BREAKER_PARKS, DeliveryPolicy, RawSubscription
from chassis.failures import InfrastructureError
from chassis.parking_memory import MemoryParking
from chassis.records import RawRecord
from chassis.testing import in_memory

RAW_TOPIC = "raw.v1"


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
