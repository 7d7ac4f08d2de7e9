"""For each metric of the chassis, a scenario that moves it up, and back when the scenario ends.

Metrics are read as a scrape reads them. Each scenario goes through the chassis's ports.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError
from bson import SON
from prometheus_client import REGISTRY
from pymongo.monitoring import CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent
from stubbed_consumer import PARTITION, Kafka, Stubbed, until
from tallies import MOMENT, SOURCE_TOPIC, TALLY, TOPIC, a_record, add, subscription
from test_outbox import Broker, Documents, entries
from test_pending import World as Pending
from test_timers import World as Deadlines
from test_topics_care import ALL, HOLE
from test_topics_care import World as Topics

from chassis import mongo
from chassis.consuming.consumer import CARE_SECONDS
from chassis.consuming.lag import FRESH_SECONDS
from chassis.consuming.progress import STALL_SECONDS
from chassis.delivery.breaker import BREAKER_PARKS
from chassis.delivery.policy import DeliveryPolicy
from chassis.delivery.records import RawRecord
from chassis.doors.admission import Admission, TurnedAway
from chassis.doors.http_door import http_door
from chassis.failures import InfrastructureError, at_the_database
from chassis.mending.care import mind_parked
from chassis.publishing import publisher as outbox_module
from chassis.publishing.publisher import Publisher
from chassis.rpc.counting import counted
from chassis.settings import DoorSettings, HttpSettings
from chassis.telemetry.sampling import AT_ONCE, Budget
from chassis.testing import ManualClock, MemoryParking, eventually, in_memory
from chassis.waiting.timers import CLOCK_TOLERANCE

Provocation = Callable[[], Awaitable[None]]


def shown(name: str, **labels: str) -> float:
    """The value in a scrape; 0 if there is no such sample yet."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def until_shown(name: str, wanted: float, **labels: str) -> None:
    async def is_shown() -> bool:
        assert shown(name, **labels) == wanted
        return True

    await eventually(is_shown, within_seconds=10)


# Deliveries and what is parked of them.


class Parking:
    def __init__(self) -> None:
        self.clock = ManualClock(MOMENT)
        self.parking = MemoryParking(self.clock)
        self.tallies, _ = in_memory(TALLY, topic=TOPIC, clock=self.clock)
        self.policy = DeliveryPolicy([subscription(self.tallies)], self.parking, self.clock, build="b")

    async def mind(self) -> None:
        await mind_parked(self.parking, self.policy)

    async def mend(self, target: str, offset: int = 0) -> None:
        await self.policy.discard(f"{SOURCE_TOPIC}/0/{offset}/{target}", actor="staff:li", reason="wrong")


async def deliveries() -> None:
    world = Parking()
    outcomes = ("applied", "duplicate", "parked", "not_addressed")
    before = {each: shown("trade_deliveries_total", outcome=each) for each in outcomes}
    await world.policy.process([a_record(0), a_record(1, kind="trade.tests.other.happened.v1")])
    await world.policy.process([a_record(0), a_record(2, -1, ["T-2"])])
    assert {each: shown("trade_deliveries_total", outcome=each) - before[each] for each in outcomes} == dict.fromkeys(
        outcomes, 1
    )


async def latency() -> None:
    world = Parking()
    await world.clock.advance(seconds=7)
    count, total = (f"trade_delivery_latency_seconds_{each}" for each in ("count", "sum"))
    before = shown(count), shown(total)
    await world.policy.process([a_record(0)])
    assert (shown(count) - before[0], round(shown(total) - before[1], 3)) == (1, 7)


async def parked() -> None:
    world = Parking()
    await world.policy.process([a_record(0, -1, ["T-1", "T-2"]), a_record(1, 1, ["T-1"])])
    await world.mind()
    assert (shown("trade_parked_deliveries"), shown("trade_parked_targets")) == (3, 2)
    await world.mend("T-1")
    await world.policy.redrive("T-1", actor="staff:li", reason="rest")
    await world.mend("T-2")
    await world.mind()
    assert (shown("trade_parked_deliveries"), shown("trade_parked_targets")) == (0, 0)


async def breaker() -> None:
    world, other = Parking(), Parking()
    other.parking = world.parking
    await world.policy.process([a_record(n, -1, [f"T-{n}"], key=str(n)) for n in range(BREAKER_PARKS + 1)])
    assert shown("trade_breaker_open") == 1
    await world.parking.clear_breaker()  # another replica closed it
    await other.mind()
    assert shown("trade_breaker_open") == 0


async def strays() -> None:
    world = Parking()
    before = shown("trade_strays_redriven_total")
    await world.policy.process([a_record(0, -1)])
    waiting = (await world.parking.waiting("T-1", 1))[0]
    await world.mend("T-1")
    await world.parking.park([replace(waiting, reason="behind")])
    await world.mind()
    assert shown("trade_strays_redriven_total") - before == 1


# The consumer.


class Consuming:
    """A consumer of one partition, whose broker and handler the test controls."""

    def __init__(self) -> None:
        self.kafka, self.clock = Kafka(), ManualClock(MOMENT)
        self.fails = False
        self.consumer = Stubbed(self.kafka, self.clock, self._process)

    async def _process(self, records: Sequence[RawRecord]) -> None:
        if self.fails:
            raise InfrastructureError("away")

    async def __aenter__(self) -> "Consuming":
        await self.consumer.start()
        await self.consumer.on_partitions_assigned({PARTITION})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.consumer.stop()

    async def ticks(self, seconds: float) -> None:
        """Let the care of the consumer run for so long."""
        for _ in range(round(seconds / CARE_SECONDS)):
            await self.clock.advance(seconds=CARE_SECONDS)
            for _ in range(5):
                await asyncio.sleep(0)

    async def batch(self, *offsets: int, age: float = 0) -> None:
        """The library delivers a batch that was written so many seconds ago."""
        self.kafka.read = max(offsets) + 1
        written = int((self.clock.now() - timedelta(seconds=age)).timestamp() * 1000)
        await self.consumer._on_batch([RawRecord("in.v1", 0, each, b"k", (), b"{}", written) for each in offsets])


async def lag() -> None:
    async with Consuming() as world:
        await world.ticks(2)
        assert (shown("trade_consumer_lag_seconds"), shown("trade_consumer_lag_records")) == (0, 0)
        world.fails, world.kafka.end = True, 8
        await world.batch(5, 6, age=30)
        await world.ticks(2)
        assert shown("trade_consumer_lag_records") == 3
        assert 31 <= shown("trade_consumer_lag_seconds") <= 33
        world.fails = False
        await world.batch(5, 6, 7, age=30)
        await world.ticks(2)
        assert (shown("trade_consumer_lag_seconds"), shown("trade_consumer_lag_records")) == (0, 0)


async def partitions() -> None:
    async with Consuming() as world:
        assert shown("trade_consumer_partitions") == 1
        world.kafka.hangs = True  # the group has taken them away
        assert shown("trade_consumer_partitions") == 0


async def rests() -> None:
    async with Consuming() as world:
        world.fails = True
        await world.batch(5)
        assert shown("trade_consumer_rests") == 1
        await until(world.clock, lambda: not shown("trade_consumer_rests"))


async def restarts() -> None:
    async with Consuming() as world:
        before = shown("trade_consumer_restarts_total")
        world.kafka.hangs = True
        await until(world.clock, lambda: shown("trade_consumer_restarts_total") > before, seconds=2 * STALL_SECONDS)


async def infrastructure_failures() -> None:
    async with Consuming() as world:
        before = shown("trade_infrastructure_failures_total", where="consume")
        world.fails = True
        await world.batch(5)
        assert shown("trade_infrastructure_failures_total", where="consume") - before == 1


async def database_faults() -> None:
    before = shown("trade_database_faults_total")
    with pytest.raises(InfrastructureError), at_the_database():
        raise AttributeError("broken")
    assert shown("trade_database_faults_total") - before == 1


# The publisher.


class Publishing:
    def __init__(self) -> None:
        self.broker, self.source = Broker(), Documents()
        self.clock = ManualClock(MOMENT)
        self.publisher = Publisher(self.broker.producer, self.clock, source="/trade/tests")

    async def __aenter__(self) -> "Publishing":
        await self.publisher.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.broker.hold.set()
        await self.publisher.stop(1)

    def offer(self, document: str, *numbers: int) -> None:
        self.publisher.offer(self.source, document, "K", entries(document, *numbers))


async def published() -> None:
    before = shown("trade_events_published_total", topic=Documents.topic)
    async with Publishing() as world:
        world.offer("T-1", 1, 2)
        await until_shown("trade_events_published_total", before + 2, topic=Documents.topic)


async def unsent() -> None:
    async with Publishing() as world:
        world.broker.hold.clear()
        await world.clock.advance(seconds=12)
        world.offer("T-1", 1, 2)
        assert (shown("trade_unsent_events"), shown("trade_oldest_unsent_seconds")) == (2, 12)
        await world.clock.advance(seconds=8)
        assert shown("trade_oldest_unsent_seconds") == 20
        world.broker.hold.set()
        await until_shown("trade_unsent_events", 0)
        assert shown("trade_oldest_unsent_seconds") == 0


async def producer_rebuilds() -> None:
    before = shown("trade_producer_rebuilds_total")
    async with Publishing() as world:
        world.broker.answer = lambda _: KafkaConnectionError("away")
        world.offer("T-1", 1)
        await until_shown("trade_producer_rebuilds_total", before + 1)


async def stuck() -> None:
    before = shown("trade_stuck_documents_total")
    async with Publishing() as world:
        world.broker.answer = lambda _: MessageSizeTooLargeError("too large")
        world.offer("T-1", 1, 2)
        await until_shown("trade_documents_stuck", 1)
        assert (shown("trade_stuck_documents_total") - before, shown("trade_unsent_events")) == (1, 0)
        world.broker.answer = lambda _: None  # the broker takes larger ones now
        await until(
            world.clock, lambda: world.broker.wire == ["T-1/0.1", "T-1/0.2"], seconds=3 * outbox_module.STUCK_SECONDS
        )
        await until_shown("trade_documents_stuck", 0)
        assert (shown("trade_stuck_documents_total") - before, shown("trade_unsent_events")) == (1, 0)


async def topics_wrong() -> None:
    world = Topics()
    world.differences = ["a is missing", "b is missing"]
    await world.looks()
    assert shown("trade_topics_wrong") == 2
    world.differences, world.read = (), HOLE
    await world.looks()
    assert shown("trade_topics_wrong") == 1
    world.read = ALL
    await world.looks()
    assert shown("trade_topics_wrong") == 0


# Deadlines and pending work.


async def overdue() -> None:
    world = Deadlines()
    count, age = "trade_overdue_timers", "trade_oldest_overdue_timer_seconds"
    await world.due_in(10, "T-1")
    await world.due_in(14, "T-2")
    world.group.committed = 0
    await world.clock.advance(seconds=15)
    await world.timers.fire_due()
    assert (shown(count, timer="tally"), shown(age, timer="tally")) == (2, 5)
    await world.clock.advance(seconds=30)
    assert shown(age, timer="tally") == 35, "it grows while the loop cannot look"
    world.group.committed = 10
    await world.timers.fire_due()
    await world.timers.fire_due()
    assert (shown(count, timer="tally"), shown(age, timer="tally")) == (0, 0)


async def timers_rest() -> None:
    world = Deadlines()
    await world.due_in(1)
    await world.clock.advance(seconds=2)
    world.apart = 2 * CLOCK_TOLERANCE
    await world.timers.fire_due()
    assert shown("trade_timers_rest", timer="tally") == 1
    await world.tallies.apply_one(add("T-1", "paid"))  # by another replica: the deadline is gone
    await world.timers.fire_due()
    assert shown("trade_timers_rest", timer="tally") == 0, "nothing is held back any more"


async def pending_work() -> None:
    world = Pending()
    await world.wait_for(1)
    await world.work.step()
    assert shown("trade_pending_work", work="look-up") == 1
    await world.work.step()
    assert shown("trade_pending_work", work="look-up") == 0


async def traces() -> None:
    """Recorded traces, and traces over the limit."""
    budget, before = Budget(0.0, ManualClock()), (shown("trade_traces_total", recorded="yes"), traces_left_out())
    for _ in range(AT_ONCE + 3):
        budget.begins()
    assert shown("trade_traces_total", recorded="yes") == before[0] + AT_ONCE
    assert traces_left_out() == before[1] + 3


def traces_left_out() -> float:
    return shown("trade_traces_total", recorded="no")


async def database_commands() -> None:
    """Both ends of a command count, and its collection is that of the command, also of a cursor's next batch."""
    listener, where, commands = mongo.Commands(), ("host", 1), metrics_of_commands
    sent: dict[str, dict[str, Any]] = {"find": {"find": "c"}, "getMore": {"getMore": 7, "collection": "c"}}
    for number, (name, command) in enumerate(sent.items()):
        count, seconds = commands(name)
        listener.started(CommandStartedEvent(SON(command), "d", number, where, 0))
        listener.succeeded(CommandSucceededEvent(timedelta(seconds=2), {}, name, number, where, 0))
        assert commands(name) == (count + 1, seconds + 2)
        listener.started(CommandStartedEvent(SON(command), "d", number, where, 0))
        listener.failed(CommandFailedEvent(timedelta(seconds=3), {}, name, number, where, 0))
        assert commands(name) == (count + 2, seconds + 5)


async def database_statements() -> None:
    """Each single write of a bulk counts, by whom it is answered; what only reads has none."""
    listener, where = mongo.Commands(), ("host", 1)
    sent: dict[str, dict[str, Any]] = {
        "insert": {"insert": "c", "documents": [{}, {}]},
        "update": {"update": "c", "updates": [{}, {}, {}]},
        "delete": {"delete": "c", "deletes": [{}]},
        "find": {"find": "c"},
    }
    before = {name: statements_of(name) for name in sent}
    for number, (name, command) in enumerate(sent.items()):
        listener.started(CommandStartedEvent(SON(command), "d", number, where, 0))
        assert statements_of(name) == before[name]
        listener.succeeded(CommandSucceededEvent(timedelta(seconds=2), {}, name, number, where, 0))
    assert [statements_of(name) - before[name] for name in sent] == [2, 3, 1, 0]


def statements_of(name: str) -> float:
    return shown("trade_database_statements_total", command=name, collection="c")


def metrics_of_commands(name: str) -> tuple[float, float]:
    labels = {"command": name, "collection": "c"}
    return shown("trade_database_commands_total", **labels), shown("trade_database_seconds_total", **labels)


async def lag_with_the_broker_away() -> None:
    """Unknown is not zero."""
    async with Consuming() as world:
        await world.ticks(2)
        world.kafka.away = True
        await world.ticks(FRESH_SECONDS + 10)
        first = shown("trade_consumer_lag_seconds")
        await world.ticks(10)
        assert first > FRESH_SECONDS
        assert shown("trade_consumer_lag_seconds") == first + 10
        world.kafka.away = False
        await world.ticks(2)
        assert shown("trade_consumer_lag_seconds") == 0


async def lag_of_partitions_that_were_taken_away() -> None:
    async with Consuming() as world:
        world.fails, world.kafka.end = True, 8
        await world.batch(5, 6, age=30)
        await world.ticks(3)
        assert shown("trade_consumer_lag_records") == 3
        await world.consumer.on_partitions_revoked({PARTITION})
        world.kafka.hangs = True
        await world.consumer.on_partitions_assigned(set())
        assert (shown("trade_consumer_lag_seconds"), shown("trade_consumer_lag_records")) == (0, 0)


# Doors.


async def turned_away() -> None:
    """A full door: its place, a waiting request, and a turned-away one."""
    door = Admission("provoked", DoorSettings(port=0, places=1, waiting=1))
    held = await door.enter(publishes=False)
    waiting = asyncio.create_task(door.enter(publishes=False))
    await until_shown("trade_door_waiting", 1, door="provoked")
    before = shown("trade_door_turned_away_total", door="provoked", why="full")
    with contextlib.suppress(TurnedAway):
        await door.enter(publishes=False)
    assert shown("trade_door_turned_away_total", door="provoked", why="full") == before + 1
    assert shown("trade_door_places", door="provoked") == shown("trade_door_places_taken", door="provoked") == 1
    held.leave()
    (await waiting).leave()
    assert shown("trade_door_waiting", door="provoked") == shown("trade_door_places_taken", door="provoked") == 0


async def requests() -> None:
    """A request in progress, then answered."""
    go, labels = asyncio.Event(), {"door": "http", "route": "/provoked", "method": "GET"}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def sent(message: Any) -> None:
        pass

    scope = {"type": "http", "method": "GET", "path": "/provoked", "headers": []}
    before = shown("trade_http_request_seconds_count", status="200", **labels)
    door = http_door(app, HttpSettings(port=0), paths=["/provoked"])
    asking = asyncio.ensure_future(door(scope, asyncio.Queue[Any]().get, sent))
    await until_shown("trade_http_requests_in_hand", 1, **labels)
    go.set()
    await asking
    assert shown("trade_http_requests_in_hand", **labels) == 0
    assert shown("trade_http_request_seconds_count", status="200", **labels) == before + 1


async def calls() -> None:
    """A call in progress, then answered."""

    class Context:
        def code(self) -> None:
            return None

    labels = {"door": "grpc", "method": "/provoked"}
    before = shown("trade_grpc_call_seconds_count", code="OK", **labels)
    with counted("grpc", "/provoked", Context()):  # type: ignore[arg-type]  # only its code is asked for
        assert shown("trade_grpc_calls_in_hand", **labels) == 1
    assert shown("trade_grpc_calls_in_hand", **labels) == 0
    assert shown("trade_grpc_call_seconds_count", code="OK", **labels) == before + 1


PROVOKED: dict[str, Provocation] = {
    "trade_deliveries": deliveries,
    "trade_delivery_latency_seconds": latency,
    "trade_consumer_lag_seconds": lag,
    "trade_consumer_lag_records": lag,
    "trade_consumer_partitions": partitions,
    "trade_consumer_rests": rests,
    "trade_consumer_restarts": restarts,
    "trade_infrastructure_failures": infrastructure_failures,
    "trade_database_faults": database_faults,
    "trade_events_published": published,
    "trade_topics_wrong": topics_wrong,
    "trade_unsent_events": unsent,
    "trade_oldest_unsent_seconds": unsent,
    "trade_producer_rebuilds": producer_rebuilds,
    "trade_stuck_documents": stuck,
    "trade_documents_stuck": stuck,
    "trade_parked_deliveries": parked,
    "trade_parked_targets": parked,
    "trade_strays_redriven": strays,
    "trade_breaker_open": breaker,
    "trade_overdue_timers": overdue,
    "trade_oldest_overdue_timer_seconds": overdue,
    "trade_timers_rest": timers_rest,
    "trade_pending_work": pending_work,
    "trade_traces": traces,
    "trade_database_commands": database_commands,
    "trade_database_seconds": database_commands,
    "trade_database_statements": database_statements,
    "trade_http_request_seconds": requests,
    "trade_http_requests_in_hand": requests,
    "trade_grpc_call_seconds": calls,
    "trade_grpc_calls_in_hand": calls,
    "trade_door_places": turned_away,
    "trade_door_places_taken": turned_away,
    "trade_door_waiting": turned_away,
    "trade_door_turned_away": turned_away,
}
"""By the name of the family, as the client library gives it."""
