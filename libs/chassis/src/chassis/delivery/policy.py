"""The delivery policy: every delivery ends as applied, duplicate, parked or not addressed.

A delivery is one record for one target. `process` returns when all deliveries of a batch have
ended, and only then may its offsets be committed; it raises where infrastructure is away, and
then nothing is skipped and the batch comes again. It knows no consumer loop: it takes a batch
and ports, so that a simulation runs the same code.
"""

import time
from collections.abc import Sequence
from typing import Any

import structlog

from chassis.aggregates import Applied, Blocked, Conflict, Duplicate, Failed, Outcome
from chassis.clock import Clock
from chassis.delivery.breaker import Breaker
from chassis.delivery.giving_up import GivingUp
from chassis.delivery.locks import Locks
from chassis.delivery.records import Event, NotAddressed, Poisoned, RawRecord, classify
from chassis.delivery.redrive import Redrive, RedriveResult
from chassis.delivery.redrive_plan import Plan, Planner
from chassis.delivery.slips import Slips
from chassis.delivery.store import DeliveryStore
from chassis.delivery.subscriptions import Delivery, Handler, RawHandler, RawSubscription, Routes, Subscription
from chassis.failures import InfrastructureError, is_infrastructure
from chassis.parking.model import BEHIND, BREAKER, STEP, ParkedDelivery
from chassis.telemetry import metrics

log = structlog.get_logger(__name__)


class DeliveryPolicy:
    """Deliveries of one service."""

    def __init__(
        self,
        subscriptions: Sequence[Subscription | RawSubscription],
        parking: DeliveryStore,
        clock: Clock,
        *,
        build: str,
    ) -> None:
        self._routes = Routes(subscriptions)
        self._parking = parking
        self._clock = clock
        self._slips = Slips(build)
        self._breaker = Breaker(parking, clock)
        self._redrive = Redrive(self._routes, parking, self._breaker, clock, self._slips)
        self._giving_up = GivingUp(self._routes, parking, self._breaker)
        self._locks = Locks(parking, clock)
        self._planner = Planner(self._routes, parking, build)

    @property
    def topics(self) -> list[str]:
        return self._routes.topics

    async def process(self, records: Sequence[RawRecord]) -> None:
        """Resolve every delivery of a batch.

        Raises:
            InfrastructureError: or a driver's own; the batch is to come again.
        """
        events: list[Event] = []
        poisoned: dict[str, list[ParkedDelivery]] = {}
        addressed = [record for record in records if record.topic not in self._routes.raw]
        classified = [classify(record, self._routes.types(record.topic)) for record in addressed]
        waiting = [each for each in classified if not isinstance(each, NotAddressed)]
        metrics.DELIVERIES.labels("not_addressed").inc(len(classified) - len(waiting))
        if not waiting and len(addressed) == len(records):
            return
        await self._locks.look()
        locked = await self._locks.among({each.record.key_lock for each in waiting} | {BREAKER})
        if BREAKER in locked:
            raise InfrastructureError("the breaker is open: too much was parked; redrive or discard closes it")
        for topic, handler in self._routes.raw.items():
            await self._apply_raw(handler, [record for record in records if record.topic == topic])
        for each in waiting:
            lock = each.record.key_lock
            if isinstance(each, Poisoned):
                poisoned.setdefault(lock, []).append(self._slips.poisoned(each))
            elif lock in poisoned or lock in locked:
                poisoned.setdefault(lock, []).append(self._slips.behind(each, lock))
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
            await self._park([self._slips.failed(records[0], records[0].key_lock, error)])
        else:
            metrics.DELIVERIES.labels("applied").inc(len(records))

    async def _deliver(self, events: Sequence[Event]) -> None:
        """Resolve targets, then apply what one handler takes, wave by wave."""
        shut = set[str]()
        for handler, wave in self._routes.waves(events):
            run, held = wave, list[ParkedDelivery]()
            if shut:  # what an earlier wave could not resolve holds back the later events of its key
                held = [self._slips.behind(each, each.record.key_lock) for each in wave if each.record.key_lock in shut]
                run = [each for each in wave if each.record.key_lock not in shut]
            deliveries, unresolved = await self._resolve(handler, run)
            shut |= {each.target for each in unresolved}
            locked = await self._locks.among({each.target for each in deliveries})
            free = [each for each in deliveries if each.target not in locked]
            behind = [each for each in deliveries if each.target in locked]
            await self._park([self._slips.behind(each.event, each.target) for each in behind])
            refused = [*await self._apply(handler, free), *unresolved, *held]
            await self._park(refused)

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
                return [], [self._slips.failed(events[0].record, events[0].record.key_lock, error, events[0])]
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
                    *(self._slips.behind(each, each.record.key_lock) for each in parked.values()),
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
                return [self._slips.failed(delivery.event.record, delivery.target, error, delivery.event)]
            half = len(deliveries) // 2
            parked = await self._apply(handler, deliveries[:half])
            shut = {each.target for each in parked}
            for delivery in deliveries[half:]:
                if delivery.target in shut:
                    parked.append(self._slips.behind(delivery.event, delivery.target))
            return parked + await self._apply(handler, [each for each in deliveries[half:] if each.target not in shut])
        return self._judge(deliveries, outcomes)

    def _judge(self, deliveries: Sequence[Delivery], outcomes: Sequence[Outcome[Any]]) -> list[ParkedDelivery]:
        """Count how deliveries ended; what must be parked."""
        refused: list[ParkedDelivery] = []
        latencies: list[float] = []
        now = self._clock.now()
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            event = delivery.event
            match outcome:
                case Applied():
                    latencies.append(max(0.0, (now - event.envelope.time).total_seconds()))
                case Duplicate():
                    metrics.DELIVERIES.labels("duplicate").inc()
                case Conflict():
                    refused.append(self._slips.conflict(event, delivery.target))
                case Failed(error):
                    refused.append(self._slips.failed(event.record, delivery.target, error, event))
                case Blocked():
                    refused.append(self._slips.behind(event, delivery.target))
        metrics.DELIVERIES.labels("applied").inc(len(latencies))
        metrics.LATENCY_SECONDS.observe_all(latencies)
        return refused

    async def _park(self, deliveries: Sequence[ParkedDelivery]) -> None:
        if not deliveries:
            return
        try:
            await self._parking.park(deliveries)
        finally:
            self._locks.took(each.target for each in deliveries)  # where the answer was lost some may stand there
        for each in deliveries:
            metrics.DELIVERIES.labels("parked").inc()
            log.error(
                "parked", target=each.target, reason=each.reason, error=each.error, event_id=each.event_id,
                position=str(each.position),
            )  # fmt: skip
            if each.reason != BEHIND:
                await self._breaker.count(each.reason)

    def look_anew(self) -> None:
        """Partitions were given out: what is locked of theirs is asked before the next batch."""
        self._locks.look_anew()

    # What staff do with parked deliveries.

    async def redrive(
        self, target: str, *, actor: str, reason: str, within_seconds: float | None = None
    ) -> RedriveResult:
        """Replay a target's deliveries; see `chassis.delivery.redrive`."""
        try:
            return await self._redrive.redrive(target, actor=actor, reason=reason, within_seconds=within_seconds)
        finally:
            self._locks.look_anew()

    async def plan(self, target: str, limit: int) -> Plan | None:
        """What a redrive would do; see `chassis.delivery.redrive_plan`."""
        return await self._planner.plan(target, limit)

    async def discard(self, delivery_id: str, *, actor: str, reason: str) -> bool:
        """Give one delivery up; see `chassis.delivery.giving_up`."""
        try:
            return await self._giving_up.discard(delivery_id, actor=actor, reason=reason)
        finally:
            self._locks.look_anew()

    async def redrive_strays(self) -> list[str]:
        """Replay what waits for nothing; see `chassis.delivery.redrive`."""
        try:
            return await self._redrive.redrive_strays()
        finally:
            self._locks.look_anew()

    async def restore_given_up(self) -> int:
        """Leave the lines of what staff discarded again, in a database that was rebuilt."""
        return await self._giving_up.restore_given_up()

    async def park_step(self, target: str, step: str, error: Exception) -> None:
        """Park a timer or a pending step that raised; it is not tried again until redriven."""
        record = RawRecord(f"{STEP}{step}", 0, time.time_ns() // 1_000_000, None, (), None, 0)
        await self._park([self._slips.failed(record, target, error)])
