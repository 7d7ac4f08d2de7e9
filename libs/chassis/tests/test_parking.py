"""One contract for both stores of parked deliveries."""

import uuid
from collections.abc import AsyncIterator

import pytest

from chassis import mongo
from chassis.clock import ManualClock
from chassis.parking import BREAKER, MongoParking, ParkedDelivery, ParkingStore, Position
from chassis.parking_memory import MemoryParking
from chassis.settings import MongoSettings
from launcher.infrastructure import Infrastructure


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def memory_parking(clock: ManualClock) -> ParkingStore:
    return MemoryParking(clock)


@pytest.fixture
async def mongo_parking(infrastructure: Infrastructure, clock: ManualClock) -> AsyncIterator[ParkingStore]:
    client = mongo.connect(MongoSettings.model_validate({"url": infrastructure.mongo_url}))
    name = f"parking-{uuid.uuid4().hex[:12]}"
    parking = MongoParking(mongo.open_database(client, name), clock)
    await parking.create_indexes()
    yield parking
    await client.drop_database(name)
    await client.close()


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.infra)])
def parking(request: pytest.FixtureRequest) -> ParkingStore:
    found: ParkingStore = request.getfixturevalue(f"{request.param}_parking")
    return found


def parked(offset: int, target: str = "T-1", *, topic: str = "a.v1", reason: str = "refused") -> ParkedDelivery:
    headers: tuple[tuple[str, bytes | None], ...] = (("n", None), ("b", b"\xff"))
    return ParkedDelivery(target, Position(topic, 0, offset), b"K", headers, b"\x00raw", 1, reason)


async def test_what_is_parked_locks_its_target_and_comes_back_as_it_was(parking: ParkingStore) -> None:
    await parking.park([parked(1)])
    assert await parking.locked(["T-1", "T-2"]) == {"T-1"}
    found = await parking.show("a.v1/0/1/T-1")
    assert found is not None
    assert (found.headers, found.value, found.key) == ((("n", None), ("b", b"\xff")), b"\x00raw", b"K")
    assert await parking.counts() == (1, 1)


async def test_parking_twice_keeps_one(parking: ParkingStore) -> None:
    await parking.park([parked(1)])
    await parking.park([parked(1), parked(2)])
    assert [each.position.offset for each in await parking.waiting("T-1", 10)] == [1, 2]


async def test_an_older_record_goes_ahead_of_a_younger_one_parked_before_it(parking: ParkingStore) -> None:
    await parking.park([parked(10)])
    await parking.park([parked(9)])
    await parking.park([parked(100)])
    assert [each.position.offset for each in await parking.waiting("T-1", 10)] == [9, 10, 100]


async def test_an_append_since_the_last_look_keeps_the_target_locked(parking: ParkingStore) -> None:
    await parking.park([parked(1)])
    version = await parking.lock_version("T-1")
    assert version is not None
    await parking.park([parked(2)])
    assert not await parking.release("T-1", version)
    assert await parking.locked(["T-1"]) == {"T-1"}
    assert await parking.release("T-1", await parking.lock_version("T-1") or 0)
    assert await parking.locked(["T-1"]) == set()


async def test_the_list_pages_through_all_oldest_first(parking: ParkingStore, clock: ManualClock) -> None:
    for offset in (12, 3, 100):
        await parking.park([parked(offset), parked(offset, "T-2")])
        await clock.advance(seconds=1)
    seen: list[str] = []
    after = None
    while page := await parking.list("", after, 4):
        seen += [each.id for each in page]
        after = page[-1].mark
    assert [each.split("/")[2] for each in seen] == ["12", "12", "3", "3", "100", "100"]
    assert len(set(seen)) == 6
    assert [each.position.offset for each in await parking.list("T-2", None, 9)] == [12, 3, 100]


async def test_removing_takes_out_one(parking: ParkingStore) -> None:
    await parking.park([parked(1), parked(2)])
    await parking.remove("a.v1/0/1/T-1", action="discarded", actor="staff:li", reason="twice", outcome="discarded")
    await parking.remove("a.v1/0/9/T-1", action="discarded", actor="staff:li", reason="none", outcome="discarded")
    assert [each.position.offset for each in await parking.waiting("T-1", 10)] == [2]


async def test_the_breaker_is_a_lock_that_counts_as_no_target(parking: ParkingStore) -> None:
    await parking.set_breaker("schema")
    assert await parking.locked(["~breaker"]) == {"~breaker"}
    assert await parking.counts() == (0, 0)
    await parking.clear_breaker()
    assert await parking.locked(["~breaker"]) == set()


async def test_the_audit_keeps_who_why_and_what(mongo_parking: MongoParking) -> None:
    await mongo_parking.park([parked(1)])
    await mongo_parking.remove(
        "a.v1/0/1/T-1", action="discarded", actor="staff:li", reason="twice", outcome="discarded"
    )
    line = await mongo_parking._audit.find_one({})
    assert line is not None
    assert (line["by"], line["why"], line["delivery"]["value"]) == ("staff:li", "twice", b"\x00raw")


async def test_a_lock_taken_anew_is_not_released_for_the_old_one(parking: ParkingStore) -> None:
    await parking.park([parked(1)])
    old = await parking.lock_version("T-1")
    await parking.remove("a.v1/0/1/T-1", action="discarded", actor="staff:li", reason="-", outcome="discarded")
    assert await parking.release("T-1", old or 0)
    await parking.park([parked(2)])
    assert not await parking.release("T-1", old or 0)
    assert await parking.locked(["T-1"]) == {"T-1"}


async def test_a_lock_whose_last_delivery_is_gone_is_released_and_no_other(parking: ParkingStore) -> None:
    await parking.park([parked(1, "empty"), parked(2, "full")])
    await parking.set_breaker("schema")
    await parking.remove("a.v1/0/1/empty", action="discarded", actor="staff:li", reason="-", outcome="discarded")
    assert await parking.release_empty() == ["empty"]
    assert await parking.locked(["empty", "full", BREAKER]) == {"full", BREAKER}
    assert await parking.release_empty() == []
