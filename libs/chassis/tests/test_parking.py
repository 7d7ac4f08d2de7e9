"""One contract for both stores of parked deliveries."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest

from chassis import mongo
from chassis.parking.model import BREAKER, ParkedDelivery, ParkedTarget, Position, TargetPage
from chassis.parking.mongo import MongoParking
from chassis.settings import MongoSettings
from chassis.testing import ManualClock, MemoryParking
from launcher.infrastructure import Infrastructure

Parking: TypeAlias = MemoryParking | MongoParking


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def memory_parking(clock: ManualClock) -> Parking:
    return MemoryParking(clock)


@pytest.fixture
async def mongo_parking(infrastructure: Infrastructure, clock: ManualClock) -> AsyncIterator[Parking]:
    client = mongo.connect(MongoSettings.model_validate({"url": infrastructure.mongo_url}))
    name = f"parking-{uuid.uuid4().hex[:12]}"
    parking = MongoParking(mongo.open_database(client, name), clock)
    await parking.create_indexes()
    yield parking
    await client.drop_database(name)
    await client.close()


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.infra)])
def parking(request: pytest.FixtureRequest) -> Parking:
    found: Parking = request.getfixturevalue(f"{request.param}_parking")
    return found


def parked(offset: int, target: str = "T-1", *, topic: str = "a.v1", reason: str = "refused") -> ParkedDelivery:
    headers: tuple[tuple[str, bytes | None], ...] = (("n", None), ("b", b"\xff"))
    return ParkedDelivery(target, Position(topic, 0, offset), b"K", headers, b"\x00raw", 1, reason)


async def test_what_is_parked_locks_its_target_and_comes_back_as_it_was(parking: Parking) -> None:
    await parking.park([parked(1)])
    assert await parking.locked(["T-1", "T-2"]) == {"T-1"}
    found = await parking.show("a.v1/0/1/T-1")
    assert found is not None
    assert (found.headers, found.value, found.key) == ((("n", None), ("b", b"\xff")), b"\x00raw", b"K")
    assert await parking.counts() == (1, 1)


async def test_all_locks_are_told_as_far_as_they_are_few(parking: Parking) -> None:
    assert await parking.all_locked(2) == set()
    await parking.park([parked(1), parked(2, "T-2")])
    assert await parking.all_locked(2) == {"T-1", "T-2"}
    await parking.set_breaker("schema")
    assert await parking.all_locked(3) == {"T-1", "T-2", BREAKER}
    assert await parking.all_locked(2) is None


async def test_it_is_empty_but_for_what_is_parked_locked_or_stopped(parking: Parking) -> None:
    assert await parking.is_empty()
    await parking.set_breaker("schema")
    assert not await parking.is_empty()
    await parking.clear_breaker()
    await parking.park([parked(0)])
    assert not await parking.is_empty()
    await parking.remove(parked(0).id, action="discarded", actor="staff:li", reason="", outcome="")
    assert not await parking.is_empty(), "its lock is still there"
    assert await parking.release_empty() == [parked(0).target]
    assert await parking.is_empty()


async def test_parking_twice_keeps_one(parking: Parking) -> None:
    await parking.park([parked(1)])
    await parking.park([parked(1), parked(2)])
    assert [each.position.offset for each in await parking.waiting("T-1", 10)] == [1, 2]


async def test_an_older_record_goes_ahead_of_a_younger_one_parked_before_it(parking: Parking) -> None:
    await parking.park([parked(10)])
    await parking.park([parked(9)])
    await parking.park([parked(100)])
    assert [each.position.offset for each in await parking.waiting("T-1", 10)] == [9, 10, 100]


async def test_an_append_since_the_last_look_keeps_the_target_locked(parking: Parking) -> None:
    await parking.park([parked(1)])
    version = await parking.lock_version("T-1")
    assert version is not None
    await parking.park([parked(2)])
    assert not await parking.release("T-1", version)
    assert await parking.locked(["T-1"]) == {"T-1"}
    assert await parking.release("T-1", await parking.lock_version("T-1") or 0)
    assert await parking.locked(["T-1"]) == set()


async def test_the_list_pages_through_all_oldest_first(parking: Parking, clock: ManualClock) -> None:
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


async def test_removing_takes_out_one(parking: Parking) -> None:
    await parking.park([parked(1), parked(2)])
    await parking.remove("a.v1/0/1/T-1", action="discarded", actor="staff:li", reason="twice", outcome="discarded")
    await parking.remove("a.v1/0/9/T-1", action="discarded", actor="staff:li", reason="none", outcome="discarded")
    assert [each.position.offset for each in await parking.waiting("T-1", 10)] == [2]


async def test_the_breaker_is_a_lock_that_counts_as_no_target(parking: Parking) -> None:
    await parking.set_breaker("schema")
    assert await parking.locked(["~breaker"]) == {"~breaker"}
    assert await parking.counts() == (0, 0)
    await parking.clear_breaker()
    assert await parking.locked(["~breaker"]) == set()


async def take_out(parking: Parking, offset: int, *, action: str = "discarded", target: str = "T-1") -> None:
    await parking.remove(f"a.v1/0/{offset}/{target}", action=action, actor="staff:li", reason="twice", outcome=action)


async def test_the_audit_keeps_who_why_and_what_the_latest_first(parking: Parking, clock: ManualClock) -> None:
    await parking.park([parked(1), parked(2), parked(3, "T-2")])
    await take_out(parking, 1)
    await clock.advance(seconds=1)
    await parking.write_audit("T-1", action="redriven", actor="staff:wu", reason="try", outcome="failed again")
    await clock.advance(seconds=1)
    await take_out(parking, 3, action="redriven", target="T-2")
    lines = await parking.audit("", None, 10)
    assert [(each.target, each.action, each.by, each.outcome) for each in lines] == [
        ("T-2", "redriven", "staff:li", "redriven"),
        ("T-1", "redriven", "staff:wu", "failed again"),
        ("T-1", "discarded", "staff:li", "discarded"),
    ]
    assert [each.delivery.position.offset for each in lines if each.delivery is not None] == [3, 1]
    assert [each.at for each in lines] == sorted((each.at for each in lines), reverse=True)
    pages, mark = [], None
    while page := await parking.audit("T-1", mark, 1):
        pages.append(page[0].action)
        mark = page[-1].mark
    assert pages == ["redriven", "discarded"]
    given_up = await parking.discarded(None, 10)
    assert [(each.delivery.value, each.why) for each in given_up if each.delivery] == [(b"\x00raw", "twice")]
    assert await parking.discarded(given_up[-1].mark, 10) == []


async def test_what_was_done_first_stays_in_the_audit(mongo_parking: MongoParking) -> None:
    await mongo_parking.park([parked(1)])
    await take_out(mongo_parking, 1)
    await mongo_parking.park([parked(1)])  # a crash between the audit and the taking out
    await mongo_parking.remove("a.v1/0/1/T-1", action="discarded", actor="staff:wu", reason="again", outcome="-")
    assert [(each.by, each.why) for each in await mongo_parking.audit("", None, 9)] == [("staff:li", "twice")]


async def test_targets_show_what_failed_first_and_how_many_wait(parking: Parking, clock: ManualClock) -> None:
    await parking.park([parked(7)])
    await clock.advance(seconds=5)
    await parking.park([parked(6, reason="behind"), *(parked(1, f"U-{number}") for number in range(4))])
    await parking.set_breaker("schema")
    seen, last = list[ParkedTarget](), ""
    while True:
        page = await parking.targets(last, 2)
        assert page.breaker is not None and page.breaker.reason == "schema", "on every page"
        seen, last = [*seen, *page.targets], page.last
        if not last:
            break
    assert [each.target for each in seen] == ["T-1", "U-0", "U-1", "U-2", "U-3"]
    assert (seen[0].first.position.offset, seen[0].waiting) == (6, 2)
    assert (clock.now() - seen[0].since).total_seconds() == 5
    assert await parking.target("nobody") is None
    assert (await parking.count("T-1"), await parking.count("nobody")) == (2, 0)
    await parking.clear_breaker()
    whole = await parking.targets("", 5)
    assert (len(whole.targets), whole.breaker) == (5, None)
    assert await parking.targets(whole.last, 5) == TargetPage([], "", None)


async def test_a_lock_taken_only_for_what_waits_behind_others_is_a_stray(parking: Parking, clock: ManualClock) -> None:
    now = clock.now()
    await parking.park([parked(1, "late", reason="behind"), parked(1, "real"), parked(2, "real", reason="behind")])
    await parking.park([parked(2, "late", reason="behind"), parked(3, "real", reason="behind")])
    assert await parking.strays(now) == ["late"]
    await parking.park([parked(3, "late")])
    assert await parking.strays(now) == [], "now there is something to wait for"


async def test_what_is_kept_without_a_lock_is_a_stray_once_it_is_old(parking: Parking, clock: ManualClock) -> None:
    await parking.park([parked(1)])
    assert await parking.release("T-1", await parking.lock_version("T-1") or 0)
    kept_at = clock.now()
    assert await parking.strays(kept_at) == []
    await clock.advance(seconds=1)
    assert await parking.strays(clock.now()) == ["T-1"]


async def test_what_failed_again_keeps_its_place_and_tells_why_this_time(parking: Parking, clock: ManualClock) -> None:
    await parking.park([parked(1, reason="behind"), parked(2, reason="behind")])
    await clock.advance(seconds=3)
    again = replace(parked(1), error="ValueError: still", stack="here", build="b-2")
    await parking.failed_again(again)
    assert await parking.strays(clock.now()) == []
    first = (await parking.waiting("T-1", 1))[0]
    assert (first.reason, first.error, first.stack, first.build) == ("refused", "ValueError: still", "here", "b-2")
    assert first.parked_at is not None
    assert first.tried_at is not None
    assert (first.tried_at - first.parked_at).total_seconds() == 3
    assert first.value == b"\x00raw"


async def test_the_breaker_tells_why_and_whether_its_flood_is_still_parked(
    parking: Parking, clock: ManualClock
) -> None:
    assert await parking.breaker() is None
    await parking.park([parked(1, reason="schema")])
    await clock.advance(seconds=1)
    await parking.set_breaker("schema")
    open_ = await parking.breaker()
    assert open_ is not None
    assert (open_.reason, open_.opened_at) == ("schema", clock.now())
    assert not await parking.any_parked("schema", open_.opened_at)
    assert await parking.any_parked("schema", clock.now() - timedelta(seconds=1))
    assert not await parking.any_parked("refused", clock.now() - timedelta(seconds=1))
    await parking.clear_breaker()
    assert await parking.breaker() is None


async def test_a_lock_taken_anew_is_not_released_for_the_old_one(parking: Parking) -> None:
    await parking.park([parked(1)])
    old = await parking.lock_version("T-1")
    await parking.remove("a.v1/0/1/T-1", action="discarded", actor="staff:li", reason="-", outcome="discarded")
    assert await parking.release("T-1", old or 0)
    await parking.park([parked(2)])
    assert not await parking.release("T-1", old or 0)
    assert await parking.locked(["T-1"]) == {"T-1"}


async def test_a_lock_whose_last_delivery_is_gone_is_released_and_no_other(parking: Parking) -> None:
    await parking.park([parked(1, "empty"), parked(2, "full")])
    await parking.set_breaker("schema")
    await parking.remove("a.v1/0/1/empty", action="discarded", actor="staff:li", reason="-", outcome="discarded")
    assert await parking.release_empty() == ["empty"]
    assert await parking.locked(["empty", "full", BREAKER]) == {"full", BREAKER}
    assert await parking.release_empty() == []
