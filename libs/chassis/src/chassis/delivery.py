"""The delivery policy: every delivery ends as applied, duplicate, parked or not addressed.

A delivery is one record for one target. `process` returns when all deliveries of a batch have
ended, and only then may its offsets be committed; it raises where infrastructure is away, and
then nothing is skipped and the batch comes again. It knows no consumer loop: it takes a batch
and ports, so that a simulation runs the same code.
"""

import hashlib
import time
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import structlog

from chassis import metrics, telemetry
from chassis.aggregates import Aggregates, Applied, Blocked, Conflict, Duplicate, Failed, Input, Outcome
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.failures import InfrastructureError, is_infrastructure
from chassis.parking import BREAKER, ParkedDelivery, ParkingStore
from chassis.records import Event, NotAddressed, Poisoned, RawRecord, classify
from contracts.values import Payload

S = TypeVar("S")
C = TypeVar("C")
T = TypeVar("T")

BREAKER_PARKS = 50
BREAKER_SECONDS = 60.0
"""So many parks of one reason within so long pause consumption instead of parking the world."""

_BEHIND = "behind"
_STEP = "~"
"""Begins the name that stands in place of a topic where a timer or a pending step is parked."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one target."""

    event: Event
    target: str


class Handler(Protocol):
    """What a service does with the events of a subscription."""

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        """Per event the ids it is for; none is fine."""
        ...

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        """Per delivery how it ended. Idempotent: the same delivery may come again."""
        ...


class RawHandler(Protocol):
    """What a service does with records that carry no envelope of ours, or any."""

    async def apply(self, records: Sequence[RawRecord]) -> None:
        """Resolve every record; idempotent. Raises only for infrastructure."""
        ...


@dataclass(frozen=True)
class Subscription:
    """Types of one topic and who handles them."""

    topic: str
    types: Mapping[str, type[Payload]]
    handler: Handler


@dataclass(frozen=True)
class RawSubscription:
    """A whole topic, record by record as it is."""

    topic: str
    handler: RawHandler


class AggregateHandler(Generic[S, C]):
    """The plain case: an event becomes one command for each of its targets."""

    def __init__(
        self,
        aggregates: Aggregates[S, C, Any],
        *,
        targets: Callable[[Event], Sequence[str]],
        command: Callable[[Event, str], C],
    ) -> None:
        self._aggregates = aggregates
        self._targets = targets
        self._command = command

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        return [self._targets(event) for event in events]

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[S]]:
        return await self._aggregates.apply(
            [to_input(delivery, self._command(delivery.event, delivery.target)) for delivery in deliveries]
        )


def to_input(delivery: Delivery, command: C) -> Input[C]:
    """The input that a delivery is to an aggregate: its cause is the event's id."""
    event = delivery.event
    return Input(
        target=delivery.target,
        cause=event.envelope.id,
        command=command,
        actor=event.envelope.actor,
        hash=content_hash(event.raw),
        trace=event.envelope.trace,
        span=f"process {event.record.topic}",
    )


def content_hash(data: bytes) -> str:
    """A short fingerprint: enough to see that the same id came with other content."""
    return hashlib.sha256(data).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class RedriveResult:
    applied: int
    duplicates: int
    remaining: int


class DeliveryPolicy:
    """Deliveries of one service."""

    def __init__(
        self,
        subscriptions: Sequence[Subscription | RawSubscription],
        parking: ParkingStore,
        clock: Clock,
        *,
        build: str,
    ) -> None:
        self._raw = {each.topic: each.handler for each in subscriptions if isinstance(each, RawSubscription)}
        self._types: dict[str, dict[str, type[Payload]]] = {}
        self._handlers: dict[tuple[str, str], Handler] = {}
        for each in subscriptions:
            if isinstance(each, Subscription):
                self._types.setdefault(each.topic, {}).update(each.types)
                self._handlers |= {(each.topic, type_): each.handler for type_ in each.types}
        self._parking = parking
        self._clock = clock
        self._build = build
        self._recent: dict[str, deque[float]] = {}

    @property
    def topics(self) -> list[str]:
        return sorted({*self._raw, *self._types})

    async def process(self, records: Sequence[RawRecord]) -> None:
        """Resolve every delivery of a batch.

        Raises:
            InfrastructureError: or a driver's own; the batch is to come again.
        """
        events: list[Event] = []
        poisoned: dict[str, list[ParkedDelivery]] = {}
        addressed = [record for record in records if record.topic not in self._raw]
        classified = [classify(record, self._types.get(record.topic, {})) for record in addressed]
        waiting = [each for each in classified if not isinstance(each, NotAddressed)]
        metrics.DELIVERIES.labels("not_addressed").inc(len(classified) - len(waiting))
        if not waiting and len(addressed) == len(records):
            return
        locked = await self._parking.locked({each.record.key_lock for each in waiting} | {BREAKER})
        if BREAKER in locked:
            raise InfrastructureError("the breaker is open: too much was parked; redrive or discard closes it")
        for topic, handler in self._raw.items():
            await self._apply_raw(handler, [record for record in records if record.topic == topic])
        for each in waiting:
            lock = each.record.key_lock
            if isinstance(each, Poisoned):
                poisoned.setdefault(lock, []).append(self._poisoned(each))
            elif lock in poisoned or lock in locked:
                poisoned.setdefault(lock, []).append(self._parked(each, lock, _BEHIND))
            else:
                events.append(each)
        # What stood before a poisoned record of the same key is saved before that record is parked.
        await self._deliver(events)
        await self._park([delivery for deliveries in poisoned.values() for delivery in deliveries])

    async def _apply_raw(self, handler: RawHandler, records: Sequence[RawRecord]) -> None:
        if not records:
            return
        try:
            await handler.apply(records)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(records) > 1:
                half = len(records) // 2
                await self._apply_raw(handler, records[:half])
                await self._apply_raw(handler, records[half:])
                return
            await self._park([self._failed(records[0], records[0].key_lock, error)])
        else:
            metrics.DELIVERIES.labels("applied").inc(len(records))

    async def _deliver(self, events: Sequence[Event]) -> None:
        """Resolve targets, then apply what one handler takes, wave by wave."""
        shut = set[str]()
        for handler, run in _waves(events, lambda event: self._handlers[event.record.topic, event.envelope.type]):
            # What an earlier run could not resolve holds back the later events of its key.
            held = [self._parked(each, each.record.key_lock, _BEHIND) for each in run if each.record.key_lock in shut]
            deliveries, unresolved = await self._resolve(
                handler, [each for each in run if each.record.key_lock not in shut]
            )
            shut |= {each.target for each in unresolved}
            locked = await self._parking.locked({each.target for each in deliveries}) if deliveries else set()
            free = [each for each in deliveries if each.target not in locked]
            behind = [each for each in deliveries if each.target in locked]
            await self._park([self._parked(each.event, each.target, _BEHIND) for each in behind])
            failed = await self._apply(handler, free)
            await self._park([*failed, *unresolved, *held])

    async def _resolve(self, handler: Handler, events: Sequence[Event]) -> tuple[list[Delivery], list[ParkedDelivery]]:
        """The deliveries of events, and those events whose targets could not be told."""
        if not events:
            return [], []
        try:
            targets = await handler.targets(events)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(events) == 1:
                return [], [self._failed(events[0].record, events[0].record.key_lock, error, events[0])]
            half = len(events) // 2
            first, second = await self._resolve(handler, events[:half]), await self._resolve(handler, events[half:])
            # Later events of a key whose earlier one is parked queue behind it.
            shut = {each.target for each in first[1]}
            behind = [each for each in second[0] if each.event.record.key_lock in shut]
            parked = {each.event.record.position: each.event for each in behind}
            return (
                first[0] + [each for each in second[0] if each.event.record.key_lock not in shut],
                [
                    *first[1],
                    *second[1],
                    *(self._parked(each, each.record.key_lock, _BEHIND) for each in parked.values()),
                ],
            )
        deliveries = [
            Delivery(event, target) for event, ids in zip(events, targets, strict=True) for target in dict.fromkeys(ids)
        ]
        metrics.DELIVERIES.labels("not_addressed").inc(sum(1 for ids in targets if not ids))
        return deliveries, []

    async def _apply(self, handler: Handler, deliveries: Sequence[Delivery]) -> list[ParkedDelivery]:
        """Apply deliveries; return what must be parked."""
        if not deliveries:
            return []
        try:
            outcomes = await handler.apply(deliveries)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(deliveries) == 1:
                delivery = deliveries[0]
                return [self._failed(delivery.event.record, delivery.target, error, delivery.event)]
            half = len(deliveries) // 2
            parked = await self._apply(handler, deliveries[:half])
            shut = {each.target for each in parked}
            for delivery in deliveries[half:]:
                if delivery.target in shut:
                    parked.append(self._parked(delivery.event, delivery.target, _BEHIND))
            return parked + await self._apply(handler, [each for each in deliveries[half:] if each.target not in shut])
        return [
            refused
            for delivery, outcome in zip(deliveries, outcomes, strict=True)
            if (refused := self._judge(delivery, outcome)) is not None
        ]

    def _judge(self, delivery: Delivery, outcome: Outcome[Any]) -> ParkedDelivery | None:
        """Count how a delivery ended; what must be parked, if it must."""
        event = delivery.event
        match outcome:
            case Applied():
                metrics.DELIVERIES.labels("applied").inc()
                metrics.LATENCY_SECONDS.observe(max(0.0, (self._clock.now() - event.envelope.time).total_seconds()))
            case Duplicate():
                metrics.DELIVERIES.labels("duplicate").inc()
            case Conflict():
                return self._parked(
                    event, delivery.target, "conflict", "the same event id was applied with other content"
                )
            case Failed(error):
                return self._failed(event.record, delivery.target, error, event)
            case Blocked():
                return self._parked(event, delivery.target, _BEHIND)
        return None

    async def _park(self, deliveries: Sequence[ParkedDelivery]) -> None:
        if not deliveries:
            return
        await self._parking.park(deliveries)
        for each in deliveries:
            metrics.DELIVERIES.labels("parked").inc()
            log.error(
                "parked", target=each.target, reason=each.reason, error=each.error, event_id=each.event_id,
                position=str(each.position),
            )  # fmt: skip
            if each.reason != _BEHIND:
                await self._count_towards_breaker(each.reason)

    async def _count_towards_breaker(self, reason: str) -> None:
        now = self._clock.monotonic()
        recent = self._recent.setdefault(reason, deque())
        recent.append(now)
        while recent[0] < now - BREAKER_SECONDS:
            recent.popleft()
        if len(recent) > BREAKER_PARKS:
            recent.clear()
            log.critical("breaker_open", reason=reason)
            metrics.BREAKER_OPEN.set(1)
            await self._parking.set_breaker(reason)

    def _poisoned(self, poisoned: Poisoned) -> ParkedDelivery:
        return self._describe(
            poisoned.record, poisoned.record.key_lock, poisoned.reason, poisoned.error, "", poisoned.envelope
        )

    def _failed(self, record: RawRecord, target: str, error: Exception, event: Event | None = None) -> ParkedDelivery:
        stack = "".join(traceback.format_exception(error))
        return self._describe(
            record, target, "refused", f"{type(error).__name__}: {error}", stack, event.envelope if event else None
        )

    def _parked(self, event: Event, target: str, reason: str, error: str = "") -> ParkedDelivery:
        return self._describe(event.record, target, reason, error, "", event.envelope)

    def _describe(
        self, record: RawRecord, target: str, reason: str, error: str, stack: str, envelope: Any
    ) -> ParkedDelivery:
        return ParkedDelivery(
            target=target,
            position=record.position,
            key=record.key,
            headers=record.headers,
            value=record.value,
            timestamp_ms=record.timestamp_ms,
            reason=reason,
            error=error[:2000],
            stack=stack[-8000:],
            event_id=envelope.id if envelope else "",
            event_type=envelope.type if envelope else "",
            trace_id=telemetry.trace_id(envelope.trace) if envelope else "",
            build=self._build,
        )

    # What staff do with parked deliveries.

    async def redrive(self, target: str, *, actor: str, reason: str) -> RedriveResult:
        """Replay a target's deliveries in order, with their original ids; stop at one that fails again.

        New deliveries queue behind until the last one is through.

        Raises:
            InfrastructureError: or a driver's own; what was not reached stays parked.
        """
        applied = duplicates = 0
        while True:
            version = await self._parking.lock_version(target)
            waiting = await self._parking.waiting(target, 100)
            for parked in waiting:
                passage("redrive.before")
                outcome = await self._replay(parked)
                passage("redrive.applied")
                if isinstance(outcome, Failed | Conflict | Blocked):
                    remaining = len(await self._parking.waiting(target, 100_000))
                    return RedriveResult(applied, duplicates, remaining)
                applied += isinstance(outcome, Applied)
                duplicates += isinstance(outcome, Duplicate)
                await self._parking.remove(
                    parked.id, action="redriven", actor=actor, reason=reason, outcome=type(outcome).__name__.lower()
                )
            if version is None and not waiting:
                break
            if not waiting and await self._parking.release(target, version or 0):
                break
        await self._close_breaker()
        return RedriveResult(applied, duplicates, 0)

    async def discard(self, delivery_id: str, *, actor: str, reason: str) -> bool:
        """Give one delivery up, leaving it in the audit; false where there is none of this id."""
        parked = await self._parking.show(delivery_id)
        if parked is None:
            return False
        await self._parking.remove(delivery_id, action="discarded", actor=actor, reason=reason, outcome="discarded")
        version = await self._parking.lock_version(parked.target)
        if version is not None and not await self._parking.waiting(parked.target, 1):
            await self._parking.release(parked.target, version)
        await self._close_breaker()
        return True

    async def _close_breaker(self) -> None:
        metrics.BREAKER_OPEN.set(0)
        self._recent.clear()
        await self._parking.clear_breaker()

    async def _replay(self, parked: ParkedDelivery) -> Outcome[Any]:
        """Try one parked delivery again."""
        record = RawRecord(
            parked.position.topic,
            parked.position.partition,
            parked.position.offset,
            parked.key,
            parked.headers,
            parked.value,
            parked.timestamp_ms,
        )
        if record.topic in self._raw:
            return await self._attempt(lambda: self._raw[record.topic].apply([record]))
        if record.topic.startswith(_STEP):
            # Unlocked, it is tried again by itself.
            return Applied(None, ())
        if record.topic not in self._types:
            return Failed(LookupError(f"{record.topic} is not consumed any more; discard what is parked of it"))
        event = classify(record, self._types[record.topic])
        if isinstance(event, NotAddressed):
            return Applied(None, ())
        if isinstance(event, Poisoned):
            return Failed(ValueError(event.error))
        if parked.target != record.key_lock:
            return await self._replay_for(event, parked.target)
        handler = self._handlers[record.topic, event.envelope.type]
        try:
            targets = (await handler.targets([event]))[0]
        except Exception as error:
            if is_infrastructure(error):
                raise
            return Failed(error)
        locked = await self._parking.locked(targets)
        for target in targets:
            if target in locked:
                await self._parking.park([self._parked(event, target, _BEHIND)])
                continue
            outcome = await self._replay_for(event, target)
            if (failed := self._judge(Delivery(event, target), outcome)) is not None:
                await self._parking.park([failed])
        return Applied(None, ())

    async def _replay_for(self, event: Event, target: str) -> Outcome[Any]:
        handler = self._handlers[event.record.topic, event.envelope.type]
        try:
            return (await handler.apply([Delivery(event, target)]))[0]
        except Exception as error:
            if is_infrastructure(error):
                raise
            return Failed(error)

    async def _attempt(self, apply: Callable[[], Awaitable[None]]) -> Outcome[Any]:
        try:
            await apply()
        except Exception as error:
            if is_infrastructure(error):
                raise
            return Failed(error)
        return Applied(None, ())

    async def park_step(self, target: str, step: str, error: Exception) -> None:
        """Park a timer or a pending step that raised; it is not tried again until redriven."""
        record = RawRecord(f"{_STEP}{step}", 0, time.time_ns() // 1_000_000, None, (), None, 0)
        await self._park([self._failed(record, target, error)])


def _waves(events: Sequence[Event], handler_of: Callable[[Event], T]) -> list[tuple[T, list[Event]]]:
    """Events of one handler together, as few times as the order within each topic and key allows.

    Between keys no order is promised, and a batch mixes all partitions: a load and a save for each change
    of handlers would cost a round trip for a few events.
    """
    waves: list[dict[int, tuple[T, list[Event]]]] = []
    latest: dict[str, tuple[int, T]] = {}
    for event in events:
        key, handler = event.record.key_lock, handler_of(event)
        place, before = latest.get(key, (0, handler))
        if before is not handler:
            place += 1
        latest[key] = place, handler
        if place == len(waves):
            waves.append({})
        waves[place].setdefault(id(handler), (handler, []))[1].append(event)
    return [run for wave in waves for run in wave.values()]
