"""Redrives replay in order, once, and are audited; strays are replayed automatically."""

from typing import Any

import pytest
from tallies import SOURCE_TOPIC, TALLY, TOPIC, Counted, a_record, subscription

from chassis.aggregates import Aggregates
from chassis.delivery.policy import DeliveryPolicy
from chassis.delivery.records import Event, RawRecord
from chassis.delivery.redrive import STRAY_SECONDS, RedriveResult
from chassis.delivery.redrive_plan import Expected
from chassis.delivery.subscriptions import AggregateHandler, Subscription
from chassis.testing import ManualClock, MemoryParking, in_memory

OTHER_TOPIC = "recounted.events.v1"
RECOUNTED = "trade.tests.tally.recounted.v1"
KEY = f"{SOURCE_TOPIC}|K"


class Racing(MemoryParking):
    """A store in which something happens right after a query of the locks."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.after_look: Any = None

    async def all_locked(self, limit: int) -> set[str] | None:
        found = await super().all_locked(limit)
        if found and "T-1" in found and self.after_look is not None:
            happening, self.after_look = self.after_look, None
            await happening()
        return found


class World:
    def __init__(self, build: str = "b-1") -> None:
        self.clock = ManualClock()
        self.parking = Racing(self.clock)
        self.tallies, self.outbox = in_memory(TALLY, topic=TOPIC, clock=self.clock)
        self.policy = self.of_build(build)

    def of_build(self, build: str) -> DeliveryPolicy:
        plain = subscription(self.tallies)
        other = Subscription(OTHER_TOPIC, {RECOUNTED: Counted}, plain.handler)
        return DeliveryPolicy([plain, other], self.parking, self.clock, build=build)

    async def order(self, target: str = "T-1") -> tuple[int, ...]:
        tally = await self.tallies.get(target)
        return tally.order if tally else ()

    async def redrive(self, target: str = "T-1", **options: Any) -> RedriveResult:
        return await self.policy.redrive(target, actor="staff:li", reason="mended", **options)

    async def discard(self, offset: int, target: str = "T-1") -> bool:
        return await self.policy.discard(f"{SOURCE_TOPIC}/0/{offset}/{target}", actor="staff:li", reason="wrong sign")

    async def lines(self, target: str = "T-1") -> list[dict[str, Any]]:
        document = (await self.tallies.documents.load([target])).get(target)
        return document["history"] if document else []


@pytest.fixture
def world() -> World:
    return World()


def recounted(offset: int, amount: int = 1) -> RawRecord:
    like = a_record(offset, amount, event_id=f"R/0.{offset}", kind=RECOUNTED)
    return RawRecord(OTHER_TOPIC, 0, offset, like.key, like.headers, like.value, like.timestamp_ms)


async def test_what_is_parked_behind_a_lock_that_was_just_released_goes_by_itself(world: World) -> None:
    await world.policy.process([a_record(0, -1)])

    async def staff_discard() -> None:
        await world.discard(0)

    world.parking.after_look = staff_discard
    await world.policy.process([a_record(1, 2)])
    await world.policy.process([a_record(2, 3)])
    assert [(each.position.offset, each.reason) for each in await world.parking.waiting("T-1", 9)] == [
        (1, "behind"),
        (2, "behind"),
    ]
    assert await world.policy.redrive_strays() == ["T-1"]
    assert await world.order() == (2, 3)
    assert await world.parking.locked(["T-1"]) == set()
    assert await world.policy.redrive_strays() == []
    await world.policy.process([a_record(3, 4)])
    assert await world.order() == (2, 3, 4)


async def test_a_stray_that_fails_is_parked_for_its_own_reason_and_tried_no_more(world: World) -> None:
    await world.policy.process([a_record(0, -1)])

    async def staff_discard() -> None:
        await world.discard(0)

    world.parking.after_look = staff_discard
    await world.policy.process([a_record(1, -2), a_record(2, 3)])
    await world.policy.redrive_strays()
    assert [(each.position.offset, each.reason) for each in await world.parking.waiting("T-1", 9)] == [
        (1, "refused"),
        (2, "behind"),
    ]
    assert await world.policy.redrive_strays() == []


async def test_what_waits_behind_something_that_failed_is_no_stray(world: World) -> None:
    await world.policy.process([a_record(0, -1), a_record(1, 2)])
    await world.policy.process([a_record(2, 3)])
    await world.clock.advance(seconds=2 * STRAY_SECONDS)
    assert await world.policy.redrive_strays() == []
    await world.discard(0)
    assert await world.policy.redrive_strays() == [], "whoever discards decides when the rest goes"
    assert await world.order() == ()


async def test_what_was_kept_by_a_process_that_died_before_locking_goes_by_itself(world: World) -> None:
    await world.policy.process([a_record(0, -1), a_record(1, 2)])
    await world.discard(0)
    world.parking._locks.clear()
    assert await world.policy.redrive_strays() == [], "its process may be about to lock it"
    await world.clock.advance(seconds=2 * STRAY_SECONDS)
    assert await world.policy.redrive_strays() == ["T-1"]
    assert await world.order() == (2,)
    assert await world.parking.counts() == (0, 0)


async def test_many_deliveries_of_several_topics_go_each_topic_in_its_order(world: World) -> None:
    await world.policy.process([a_record(0, -1), *(a_record(offset, offset) for offset in range(1, 240))])
    await world.policy.process([recounted(offset, 1000 + offset) for offset in range(30)])
    await world.policy.park_step("T-1", "payment", ValueError("bug"))
    assert await world.parking.count("T-1") == 271
    await world.discard(0)
    done = await world.redrive()
    assert (done.applied, done.released, done.remaining) == (269, 1, 0)
    order = await world.order()
    assert [each for each in order if each < 1000] == list(range(1, 240))
    assert [each for each in order if each >= 1000] == list(range(1000, 1030))
    assert await world.parking.locked(["T-1"]) == set()


async def test_a_redrive_whose_time_is_over_says_what_remains_and_goes_on_with_the_next(world: World) -> None:
    await world.policy.process([a_record(0, -1), *(a_record(offset, offset) for offset in range(1, 6))])
    await world.discard(0)
    part = await world.redrive(within_seconds=0.0)
    assert (part.applied, part.remaining, part.failed) == (0, 5, None)
    done = await world.redrive(within_seconds=10.0)
    assert (done.applied, done.remaining) == (5, 0)


async def test_an_older_record_that_comes_late_and_a_discard_meanwhile_are_respected(world: World) -> None:
    await world.policy.process([a_record(5, -1), a_record(6, 6), a_record(7, 7)])
    late = a_record(4, 4)
    seen: list[int] = []
    original = world.parking.remove

    async def remove(delivery_id: str, **told: Any) -> None:
        await original(delivery_id, **told)
        seen.append(1)
        if len(seen) == 1:  # staff discards 7 while 4 has just been replayed
            await world.discard(7)

    await world.policy.process([late])
    await world.discard(5)
    world.parking.remove = remove  # type: ignore[method-assign]
    await world.redrive()
    assert await world.order() == (4, 6)


async def test_what_fails_again_tells_why_this_time_and_stays_first(world: World) -> None:
    await world.policy.process([a_record(0, 1, headers=[("ce_x", None)])])
    await world.policy.process([a_record(1, 2)])
    other = world.of_build("b-2")
    await world.clock.advance(seconds=9)
    done = await other.redrive(KEY, actor="staff:li", reason="try")
    assert done.failed is not None
    assert (done.failed.position.offset, done.failed.target, done.remaining) == (0, KEY, 2)
    parked = await world.parking.show(f"{SOURCE_TOPIC}/0/0/{KEY}")
    assert parked is not None
    assert (parked.reason, parked.build) == ("undecodable", "b-2")
    assert parked.parked_at is not None
    assert parked.tried_at is not None
    assert (parked.tried_at - parked.parked_at).total_seconds() == 9


async def test_a_discard_leaves_a_line_with_the_aggregate_and_the_same_input_is_a_duplicate(world: World) -> None:
    await world.policy.process([a_record(0, 1), a_record(1, -1), a_record(2, 2)])
    await world.discard(1)
    line = (await world.lines())[-1]
    assert (line["cause"], line["by"], line["given_up"], line["events"]) == ("S/0.1", "staff:li", "wrong sign", [])
    await world.redrive()
    # Its offset was not committed before a crash: everything comes again.
    await world.policy.process([a_record(0, 1), a_record(1, -1), a_record(2, 2)])
    assert await world.parking.counts() == (0, 0)
    assert await world.order() == (1, 2)
    assert [entry["cause"] for entry in world.outbox.published] == ["S/0.0", "S/0.2"]


async def test_a_discard_leaves_a_line_where_there_is_no_aggregate_yet(world: World) -> None:
    await world.policy.process([a_record(0, -1)])
    await world.discard(0)
    assert [each["given_up"] for each in await world.lines()] == ["wrong sign"]
    await world.policy.process([a_record(0, -1), a_record(1, 5)])
    assert await world.order() == (5,)
    assert await world.parking.counts() == (0, 0)


async def test_a_discarded_conflict_leaves_the_first_content_alone(world: World) -> None:
    await world.policy.process([a_record(0, 1, event_id="E-1"), a_record(1, 2, event_id="E-1")])
    assert await world.discard(1)
    assert [(line["cause"], line.get("given_up")) for line in await world.lines()] == [("E-1", None)]
    assert [line["action"] for line in world.parking.audit_lines] == ["discarded"]


async def test_the_lines_of_what_was_discarded_come_back_from_the_audit_after_a_rebuild(world: World) -> None:
    await world.policy.process([a_record(0, 1), a_record(1, -1), a_record(2, 2)])
    await world.discard(1)
    await world.discard(2)
    lost = World()
    lost.parking = world.parking
    lost.policy = lost.of_build("b-1")
    assert await lost.policy.restore_given_up() == 2
    assert await lost.policy.restore_given_up() == 2, "harmless to repeat"
    await lost.policy.process([a_record(0, 1), a_record(1, -1), a_record(2, 2)])
    assert await lost.order() == (1,)
    assert await lost.parking.counts() == (0, 0)
    assert [each.get("given_up") for each in await lost.lines()] == ["wrong sign", "wrong sign", None]


async def test_a_discard_goes_on_where_its_line_cannot_be_left(world: World) -> None:
    class Broken(AggregateHandler[Any, Any]):
        def aggregates_of(self, _target: str) -> Aggregates[Any, Any, Any]:
            raise ZeroDivisionError

    def no_target(event: Event) -> list[str]:
        return ["T-1"]

    broken = Broken(world.tallies, targets=no_target, command=lambda *_: 1 / 0)
    plain = subscription(world.tallies)
    world.policy = DeliveryPolicy(
        [Subscription(plain.topic, plain.types, broken)], world.parking, world.clock, build="b"
    )
    await world.policy.process([a_record(0, 1)])
    assert await world.discard(0)
    assert await world.parking.counts() == (0, 0)


def _expected(plan: Any) -> list[tuple[int, str]]:
    return [(step.delivery.position.offset, step.expected) for step in plan.steps]


async def test_the_plan_tells_what_is_to_be_expected_of_each_in_order(world: World) -> None:
    await world.policy.process([a_record(0, -1), a_record(1, 2)])
    await world.clock.advance(seconds=60)
    await world.policy.park_step("T-1", "payment", ValueError("bug"))
    plan = await world.policy.plan("T-1", 10)
    assert plan is not None
    assert [each.expected for each in plan.steps] == [Expected.SAME_BUILD, Expected.FOLLOWS, Expected.BY_ITSELF]
    assert (plan.parked.waiting, plan.parked.first.error, plan.build) == (3, "NegativeAmount: -1", "b-1")
    assert (world.clock.now() - plan.parked.since).total_seconds() == 60
    shorter = await world.policy.plan("T-1", 1)
    assert shorter is not None
    assert (len(shorter.steps), shorter.parked.waiting) == (1, 3)
    later = await world.of_build("b-2").plan("T-1", 10)
    assert later is not None
    assert later.steps[0].expected is Expected.OTHER_BUILD
    assert await world.order() == (), "a plan does nothing"
    assert await world.policy.plan("T-9", 10) is None


async def test_the_plan_tells_what_cannot_be_mended_by_a_redrive(world: World) -> None:
    await world.policy.process([a_record(0, 1, headers=[("ce_x", None)]), a_record(1, 2)])
    plan = await world.policy.plan(KEY, 10)
    assert plan is not None
    assert _expected(plan) == [(0, "still_unreadable"), (1, "targets_asked")]
    nobody = DeliveryPolicy([], world.parking, world.clock, build="b-1")
    gone = await nobody.plan(KEY, 10)
    assert gone is not None
    assert _expected(gone) == [(0, "not_consumed"), (1, "not_consumed")]
    others = Subscription(SOURCE_TOPIC, {"trade.tests.other.happened.v1": Counted}, subscription(world.tallies).handler)
    dropped = await DeliveryPolicy([others], world.parking, world.clock, build="b-1").plan(KEY, 10)
    assert dropped is not None
    assert _expected(dropped)[1] == (1, "not_addressed")


async def test_the_plan_says_that_the_breaker_is_open(world: World) -> None:
    await world.policy.process([a_record(0, -1)])
    await world.parking.set_breaker("schema")
    plan = await world.policy.plan("T-1", 10)
    assert plan is not None
    assert plan.breaker is not None
    assert plan.breaker.reason == "schema"


async def test_closing_the_breaker_is_in_the_audit(world: World) -> None:
    await world.parking.set_breaker("schema")
    await world.redrive("~breaker")
    lines = await world.parking.audit("", None, 10)
    assert [(each.action, each.target, each.by, each.why) for each in lines] == [
        ("resumed", "~breaker", "staff:li", "mended")
    ]
