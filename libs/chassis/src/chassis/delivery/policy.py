"""The delivery policy: every delivery is applied, a duplicate, parked or not addressed.

A delivery is one record for one target. `process` returns when all deliveries of a batch have an outcome; only then may
its offsets be committed. It raises if infrastructure is unavailable; nothing is skipped, and the batch is delivered
again. It does not know the consumer loop, only a batch and ports, so a simulation can run the same code.
"""

import time
from collections.abc import Sequence

import structlog

from chassis.clock import Clock
from chassis.delivery.breaker import Breaker
from chassis.delivery.giving_up import GivingUp
from chassis.delivery.handing import Handing
from chassis.delivery.locks import Locks
from chassis.delivery.records import Event, NotAddressed, Poisoned, RawRecord, classify
from chassis.delivery.redrive import Redrive, RedriveResult
from chassis.delivery.redrive_plan import Plan, Planner
from chassis.delivery.slips import Slips
from chassis.delivery.store import DeliveryStore
from chassis.delivery.subscriptions import RawSubscription, Routes, Subscription
from chassis.failures import InfrastructureError
from chassis.parking import BEHIND, BREAKER, STEP, ParkedDelivery
from chassis.telemetry import metrics

log = structlog.get_logger(__name__)


class DeliveryPolicy:
    """The delivery policy of one service."""

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
        self._slips = Slips(build)
        self._handing = Handing(self._slips, clock)
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
            InfrastructureError: or a driver's own; the batch must be delivered again.
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
            await self._park(await self._handing.raw(handler, [record for record in records if record.topic == topic]))
        for each in waiting:
            lock = each.record.key_lock
            if isinstance(each, Poisoned):
                poisoned.setdefault(lock, []).append(self._slips.poisoned(each))
            elif lock in poisoned or lock in locked:
                poisoned.setdefault(lock, []).append(self._slips.behind(each, lock))
            else:
                events.append(each)
        # Events before a poisoned record of the same key are applied before that record is parked.
        await self._deliver(events)
        await self._park([delivery for deliveries in poisoned.values() for delivery in deliveries])

    async def _deliver(self, events: Sequence[Event]) -> None:
        """Determine targets and apply deliveries, wave by wave, one handler at a time."""
        shut = set[str]()
        for handler, wave in self._routes.waves(events):
            run, held = wave, list[ParkedDelivery]()
            if shut:  # events of a key that an earlier wave has parked queue behind it
                held = [self._slips.behind(each, each.record.key_lock) for each in wave if each.record.key_lock in shut]
                run = [each for each in wave if each.record.key_lock not in shut]
            deliveries, unresolved = await self._handing.resolve(handler, run)
            shut |= {each.target for each in unresolved}
            locked = await self._locks.among({each.target for each in deliveries})
            free = [each for each in deliveries if each.target not in locked]
            behind = [each for each in deliveries if each.target in locked]
            await self._park([self._slips.behind(each.event, each.target) for each in behind])
            refused = [*await self._handing.apply(handler, free), *unresolved, *held]
            await self._park(refused)

    async def _park(self, deliveries: Sequence[ParkedDelivery]) -> None:
        if not deliveries:
            return
        try:
            await self._parking.park(deliveries)
        finally:
            self._locks.took(each.target for each in deliveries)  # even if the answer was lost, some may be stored
        for each in deliveries:
            metrics.DELIVERIES.labels("parked").inc()
            log.error(
                "parked", target=each.target, reason=each.reason, error=each.error, event_id=each.event_id,
                position=str(each.position),
            )  # fmt: skip
            if each.reason != BEHIND:
                await self._breaker.count(each.reason)

    def look_anew(self) -> None:
        """Partitions were assigned: refresh the locks before the next batch."""
        self._locks.look_anew()

    # Actions of staff on parked deliveries.

    async def redrive(
        self, target: str, *, actor: str, reason: str, within_seconds: float | None = None
    ) -> RedriveResult:
        """Replay a target's deliveries; see `chassis.delivery.redrive`."""
        try:
            return await self._redrive.redrive(target, actor=actor, reason=reason, within_seconds=within_seconds)
        finally:
            self._locks.look_anew()

    async def plan(self, target: str, limit: int) -> Plan | None:
        """Predict a redrive; see `chassis.delivery.redrive_plan`."""
        return await self._planner.plan(target, limit)

    async def discard(self, delivery_id: str, *, actor: str, reason: str) -> bool:
        """Discard one delivery; see `chassis.delivery.giving_up`."""
        try:
            return await self._giving_up.discard(delivery_id, actor=actor, reason=reason)
        finally:
            self._locks.look_anew()

    async def redrive_strays(self) -> list[str]:
        """Replay strays; see `chassis.delivery.redrive`."""
        try:
            return await self._redrive.redrive_strays()
        finally:
            self._locks.look_anew()

    async def restore_given_up(self) -> int:
        """Restore the history lines of discarded deliveries after a rebuild."""
        return await self._giving_up.restore_given_up()

    async def park_step(self, target: str, step: str, error: Exception) -> None:
        """Park a timer or a pending step that raised; it is not retried until redriven."""
        record = RawRecord(f"{STEP}{step}", 0, time.time_ns() // 1_000_000, None, (), None, 0)
        await self._park([self._slips.failed(record, target, error)])
