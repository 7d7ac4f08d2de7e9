"""Every delivery is applied, a duplicate, parked or not addressed; none overtakes, none blocks another target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tallies import COUNTED, SOURCE_TOPIC, TALLY, TOPIC, Add, Added, Counted, Tally, a_record, subscription

from chassis.aggregates import Aggregates
from chassis.aggregates.model import Outcome
from chassis.delivery.breaker import BREAKER_PARKS, BREAKER_SECONDS
from chassis.delivery.policy import DeliveryPolicy
from chassis.delivery.records import Event, RawRecord
from chassis.delivery.subscriptions import Delivery, Handler, RawSubscription, Subscription
from chassis.failures import InfrastructureError
from chassis.testing import ManualClock, MemoryParking, in_memory

KEY = f"{SOURCE_TOPIC}|K"


@dataclass
class Asked:
    """A handler that records the offsets of each batch."""

    name: str
    inner: Handler
    asked: list[tuple[str, list[int]]]

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        return await self.inner.targets(events)

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        self.asked.append((self.name, [each.event.position.offset for each in deliveries]))
        return await self.inner.apply(deliveries)


class World:
    """A policy over stores in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.parking = MemoryParking(self.clock)
        self.tallies: Aggregates[Tally, Add, Added]
        self.tallies, self.outbox = in_memory(TALLY, topic=TOPIC, clock=self.clock)
        self.use(subscription(self.tallies))

    def use(self, *subscriptions: Subscription | RawSubscription) -> None:
        self.policy = DeliveryPolicy(subscriptions, self.parking, self.clock, build="b-1")

    async def order(self, target: str) -> tuple[int, ...]:
        """The amounts applied to a tally, in order."""
        tally = await self.tallies.get(target)
        return tally.order if tally else ()

    async def parked(self, target: str) -> list[tuple[int, str]]:
        return [(each.position.offset, each.reason) for each in await self.parking.waiting(target, 100)]

    async def redrive(self, target: str) -> tuple[int, int, int]:
        result = await self.policy.redrive(target, actor="staff:li", reason="mended")
        return result.applied, result.duplicates, result.remaining


@pytest.fixture
def world() -> World:
    return World()


POISON = [
    ("undecodable", {"headers": [("ce_x", None)]}),
    ("undecodable", {"headers": [("ce_x", b"\xff\xfe")]}),
    ("schema", {"value": b"\xff"}),
    ("schema", {"value": b"{"}),
    ("schema", {"value": b'{"amount": "many", "tallies": []}'}),
    ("schema", {"value": b"[" * 5000}),
    ("unknown_version", {"kind": "trade.tests.tally.counted.v2"}),
]


@pytest.mark.parametrize(("reason", "fault"), POISON)
async def test_poison_parks_by_its_key_and_neighbours_flow(world: World, reason: str, fault: dict[str, Any]) -> None:
    await world.policy.process(
        [a_record(0, 1), a_record(1, 2, **fault), a_record(2, 3), a_record(3, 4, ["T-2"], key="other")]
    )
    assert await world.order("T-1") == (1,)
    assert await world.order("T-2") == (4,)
    assert await world.parked(KEY) == [(1, reason), (2, "behind")]


async def test_a_record_without_a_value_parks(world: World) -> None:
    record = a_record(0)
    await world.policy.process(
        [RawRecord(record.topic, 0, 0, record.key, record.headers, None, 0), RawRecord("x", 0, 0, None, (), None, 0)]
    )
    assert await world.parked(KEY) == [(0, "undecodable")]
    assert await world.parked("x|") == [(0, "undecodable")]


async def test_a_type_not_subscribed_to_is_not_addressed(world: World) -> None:
    await world.policy.process([a_record(0, kind="trade.tests.other.happened.v1")])
    assert await world.parking.counts() == (0, 0)


async def test_refused_input_parks_its_target_alone(world: World) -> None:
    await world.policy.process([a_record(0, -1, ["T-1", "T-2"]), a_record(1, 5, ["T-1", "T-3"])])
    assert await world.parked("T-1") == [(0, "refused"), (1, "behind")]
    assert await world.parked("T-2") == [(0, "refused")]
    assert await world.order("T-3") == (5,)
    stored = await world.parking.waiting("T-1", 1)
    assert "NegativeAmount" in stored[0].stack
    assert stored[0].build == "b-1"


async def test_later_batches_queue_behind_what_is_parked(world: World) -> None:
    await world.policy.process([a_record(0, -1)])
    await world.policy.process([a_record(1, 2), a_record(2, 3, ["T-2"])])
    assert await world.parked("T-1") == [(0, "refused"), (1, "behind")]
    assert await world.order("T-2") == (3,)


async def test_redelivery_of_a_batch_applies_once_and_parks_once(world: World) -> None:
    batch = [a_record(0, 1), a_record(1, -1, ["T-2"]), a_record(2, 3)]
    await world.policy.process(batch)
    await world.policy.process(batch)
    assert await world.order("T-1") == (1, 3)
    assert await world.parked("T-2") == [(1, "refused")]


async def test_the_same_event_id_with_other_content_is_parked_as_a_conflict(world: World) -> None:
    await world.policy.process([a_record(0, 1, event_id="E-1"), a_record(1, 2, event_id="E-1")])
    assert await world.order("T-1") == (1,)
    assert await world.parked("T-1") == [(1, "conflict")]


async def test_redrive_keeps_the_order_and_the_ids(world: World) -> None:
    await world.policy.process([a_record(0, 1), a_record(1, -1), a_record(2, 3), a_record(3, 4)])
    assert await world.redrive("T-1") == (0, 0, 3)
    await world.policy.discard(f"{SOURCE_TOPIC}/0/1/T-1", actor="staff:li", reason="wrong")
    assert await world.redrive("T-1") == (2, 0, 0)
    assert await world.order("T-1") == (1, 3, 4)
    assert [entry["cause"] for entry in world.outbox.published] == ["S/0.0", "S/0.2", "S/0.3"]
    assert [(line["action"], line["by"], line["outcome"]) for line in world.parking.audit_lines] == [
        ("redriven", "staff:li", f"failed again: {SOURCE_TOPIC}/0/1/T-1: NegativeAmount: -1"),
        ("discarded", "staff:li", "discarded"),
        ("redriven", "staff:li", "applied"),
        ("redriven", "staff:li", "applied"),
    ]
    await world.policy.process([a_record(4, 5)])
    assert await world.order("T-1") == (1, 3, 4, 5)


async def test_a_redelivered_older_record_goes_ahead_of_a_parked_younger_one(world: World) -> None:
    await world.policy.process([a_record(5, -1)])
    await world.policy.process([a_record(4, 4), a_record(5, -1), a_record(6, 6)])
    assert [offset for offset, _ in await world.parked("T-1")] == [4, 5, 6]
    assert await world.redrive("T-1") == (1, 0, 2)
    assert await world.order("T-1") == (4,)


async def test_discarding_the_last_one_unlocks(world: World) -> None:
    await world.policy.process([a_record(0, -1)])
    assert await world.policy.discard(f"{SOURCE_TOPIC}/0/0/T-1", actor="staff:li", reason="wrong")
    assert not await world.policy.discard(f"{SOURCE_TOPIC}/0/0/T-1", actor="staff:li", reason="again")
    await world.policy.process([a_record(1, 2)])
    assert await world.order("T-1") == (2,)


async def test_a_bug_in_finding_targets_parks_by_key_and_what_follows_waits(world: World) -> None:
    await world.policy.process(
        [a_record(0, 1), a_record(1, 2, ["nobody"]), a_record(2, 3), a_record(3, 4, ["T-2"], key="other")]
    )
    assert await world.order("T-1") == (1,)
    assert await world.order("T-2") == (4,)
    assert await world.parked(KEY) == [(1, "refused"), (2, "behind")]


async def test_nothing_of_a_key_overtakes_into_another_handler(world: World) -> None:
    other = Subscription(SOURCE_TOPIC, {"trade.tests.tally.recounted.v1": Counted}, subscription(world.tallies).handler)
    world.use(subscription(world.tallies), other)
    await world.policy.process([a_record(0, 1, ["nobody"]), a_record(1, 2, kind="trade.tests.tally.recounted.v1")])
    assert await world.order("T-1") == ()
    assert await world.parked(KEY) == [(0, "refused"), (1, "behind")]


async def test_what_a_batch_parked_itself_holds_back_its_later_events_of_that_target(world: World) -> None:
    other = Subscription(SOURCE_TOPIC, {"trade.tests.tally.recounted.v1": Counted}, subscription(world.tallies).handler)
    world.use(subscription(world.tallies), other)
    await world.policy.process(
        [a_record(0, -1), a_record(1, 2, kind="trade.tests.tally.recounted.v1"), a_record(2, 3, ["T-2"])]
    )
    assert await world.parked("T-1") == [(0, "refused"), (1, "behind")]
    assert (await world.order("T-1"), await world.order("T-2")) == ((), (3,))


async def test_handlers_that_alternate_are_asked_once_each_unless_a_key_needs_its_order(world: World) -> None:
    again = "trade.tests.tally.recounted.v1"
    asked: list[tuple[str, list[int]]] = []
    mine, other = (Asked(name, subscription(world.tallies).handler, asked) for name in ("mine", "other"))
    world.use(Subscription(SOURCE_TOPIC, {COUNTED: Counted}, mine), Subscription(SOURCE_TOPIC, {again: Counted}, other))
    await world.policy.process(
        [
            a_record(0, 1, ["T-1"], key="a"),
            a_record(1, 2, ["T-2"], key="b", kind=again),
            a_record(2, 3, ["T-1"], key="a"),
            a_record(3, 4, ["T-2"], key="b", kind=again),
            a_record(4, 5, ["T-1"], key="a", kind=again),
            a_record(5, 6, ["T-3"], key="c"),
            a_record(6, 7, ["T-1"], key="a"),
        ]
    )
    assert asked == [("mine", [0, 2, 5]), ("other", [1, 3]), ("other", [4]), ("mine", [6])]
    assert await world.order("T-1") == (1, 3, 5, 7)


async def test_redriving_a_key_hands_each_record_to_its_targets(world: World) -> None:
    await world.policy.process([a_record(0, 1, headers=[("ce_x", None)]), a_record(1, 2, ["T-1", "T-2"])])
    await world.policy.process([a_record(7, -1, ["T-2"], key="other")])
    await world.policy.discard(f"{SOURCE_TOPIC}/0/0/{KEY}", actor="staff:li", reason="unreadable")
    assert await world.redrive(KEY) == (1, 0, 0)
    assert await world.order("T-1") == (2,)
    assert [offset for offset, _ in await world.parked("T-2")] == [1, 7]


class Away:
    """A handler whose database is unavailable."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.away = True

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        return await self._inner.targets(events)  # type: ignore[no-any-return]

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        if self.away:
            raise ConnectionError("the database is away")
        return await self._inner.apply(deliveries)  # type: ignore[no-any-return]


async def test_infrastructure_failure_never_parks_and_never_skips(world: World) -> None:
    plain = subscription(world.tallies)
    away = Away(plain.handler)
    world.use(Subscription(plain.topic, plain.types, away))
    batch = [a_record(0, 1), a_record(1, 2), a_record(2, 3, headers=[("ce_x", None)])]
    with pytest.raises(ConnectionError):
        await world.policy.process(batch)
    assert await world.parking.counts() == (0, 0)
    away.away = False
    await world.policy.process(batch)
    assert await world.order("T-1") == (1, 2)


async def test_infrastructure_failure_in_a_redrive_leaves_the_rest_parked(world: World) -> None:
    plain = subscription(world.tallies)
    away = Away(plain.handler)
    away.away = False
    world.use(Subscription(plain.topic, plain.types, away))
    await world.policy.process([a_record(0, -1), a_record(1, 2)])
    away.away = True
    with pytest.raises(ConnectionError):
        await world.redrive("T-1")
    assert await world.parked("T-1") == [(0, "refused"), (1, "behind")]


class Broken:
    """A handler with a bug that one record of a batch triggers."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    async def apply(self, records: Sequence[RawRecord]) -> None:
        if any(record.offset == 2 for record in records):
            raise ZeroDivisionError
        self.seen += [record.offset for record in records]


async def test_a_raw_record_that_breaks_its_handler_is_narrowed_down_and_parked_alone(world: World) -> None:
    broken = Broken()
    world.use(RawSubscription(SOURCE_TOPIC, broken))
    await world.policy.process([a_record(offset) for offset in range(5)])
    assert broken.seen == [0, 1, 3, 4]
    assert await world.parked(KEY) == [(2, "refused")]


async def test_many_parks_of_one_reason_open_the_breaker_and_a_redrive_closes_it(world: World) -> None:
    many = [a_record(offset, -1, [f"T-{offset}"], key=str(offset)) for offset in range(BREAKER_PARKS + 1)]
    await world.policy.process(many)
    with pytest.raises(InfrastructureError, match="breaker"):
        await world.policy.process([a_record(900, 1, ["T-free"], key="free")])
    assert await world.order("T-free") == ()
    await world.redrive("~breaker")
    await world.policy.process([a_record(900, 1, ["T-free"], key="free")])
    assert await world.order("T-free") == (1,)


async def test_as_many_parks_over_a_long_time_do_not_open_the_breaker(world: World) -> None:
    for offset in range(BREAKER_PARKS + 1):
        await world.policy.process([a_record(offset, -1, [f"T-{offset}"], key=str(offset))])
        await world.clock.advance(seconds=2 * BREAKER_SECONDS / BREAKER_PARKS)
    await world.policy.process([a_record(900, 1, ["T-free"], key="free")])
    assert await world.order("T-free") == (1,)


async def test_a_parked_step_is_unlocked_by_redrive_and_tried_by_itself(world: World) -> None:
    await world.policy.park_step("T-1", "payment", ValueError("bug"))
    assert await world.parking.locked(["T-1"]) == {"T-1"}
    result = await world.policy.redrive("T-1", actor="staff:li", reason="mended")
    assert (result.released, result.applied, result.remaining) == (1, 0, 0)
    assert await world.parking.locked(["T-1"]) == set()


async def test_what_no_handler_takes_any_more_stays_parked(world: World) -> None:
    await world.policy.process([a_record(0, -1)])
    world.use()
    assert await world.redrive("T-1") == (0, 0, 1)
