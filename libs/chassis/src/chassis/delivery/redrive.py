"""Replays parked deliveries in order.

A redrive replays a target's deliveries with their original ids and stops at the first that fails again; new ones
queue behind them until the queue is empty. It looks up the first delivery before each step, so an older record that
was parked late goes first, and discarded ones are left out. Two concurrent redrives do no harm: each replays in
order, and what the other applied is a duplicate. Every redrive is audited.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

import structlog

from chassis.aggregates import Applied, Conflict, Duplicate, Failed, Outcome
from chassis.clock import Clock
from chassis.delivery.breaker import Breaker
from chassis.delivery.queue import QueueStore, first_of, release_empty
from chassis.delivery.records import Event, NotAddressed, Poisoned, RawRecord, classify
from chassis.delivery.slips import Slips, record_of
from chassis.delivery.subscriptions import Delivery, RawHandler, Routes
from chassis.failpoints import passage
from chassis.failures import is_infrastructure
from chassis.parking import BEHIND, BREAKER, Locked, ParkedDelivery
from chassis.telemetry import metrics

STRAY_SECONDS = 10.0
"""A delivery stored longer ago than this without a lock was left by a process that died before locking."""
_STRAY_REDRIVE_SECONDS = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """The result of a redrive."""

    applied: int = 0
    duplicates: int = 0
    released: int = 0
    """Timers and pending steps that were unlocked, and are retried automatically."""
    remaining: int = 0
    failed: ParkedDelivery | None = None
    """The delivery that failed again, as now parked; None if time ran out, or none is left."""


class Released:
    """A timer or a pending step was unlocked; it is retried automatically."""


Replayed: TypeAlias = Applied[Any] | Duplicate[Any] | Released


class RedriveStore(Locked, QueueStore, Protocol):
    """The store operations of a redrive."""

    async def park(self, deliveries: Sequence[ParkedDelivery]) -> None:
        """Store deliveries and lock their targets; idempotent."""
        ...

    async def count(self, target: str) -> int:
        """How many deliveries are parked for a target."""
        ...

    async def strays(self, kept_before: datetime) -> list[str]:
        """Targets with parked deliveries that have nothing to wait for.

        They were parked behind a lock that was released between the look-up and the parking, or stored before
        `kept_before` by a process that died before locking the target.
        """
        ...

    async def failed_again(self, delivery: ParkedDelivery) -> None:
        """Store the new error of a parked delivery; it keeps its place, and its target stays locked."""
        ...

    async def remove(self, delivery_id: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        """Remove one delivery, with an audit line."""
        ...

    async def write_audit(self, target: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        """Write an audit line for an action that removed nothing."""
        ...


class Redrive:
    """Replays what one service has parked."""

    def __init__(self, routes: Routes, parking: RedriveStore, breaker: Breaker, clock: Clock, slips: Slips) -> None:
        self._routes = routes
        self._parking = parking
        self._breaker = breaker
        self._clock = clock
        self._slips = slips

    async def redrive(
        self, target: str, *, actor: str, reason: str, within_seconds: float | None = None
    ) -> RedriveResult:
        """Replay a target's deliveries in order; stop at one that fails again, or when the time is up.

        The target `~breaker` stands for all consumption, which is resumed.

        Raises:
            InfrastructureError: or a driver's own; deliveries not reached stay parked.
        """
        if target == BREAKER:
            return await self._resume(actor, reason)
        began, done = self._clock.monotonic(), RedriveResult()
        while True:
            first = await first_of(self._parking, target)
            if first is None:
                if await release_empty(self._parking, target):
                    return done
                continue
            if within_seconds is not None and self._clock.monotonic() - began >= within_seconds:
                return replace(done, remaining=await self._parking.count(target))
            passage("redrive.before")
            outcome = await self._replay(first)
            passage("redrive.applied")
            if isinstance(outcome, ParkedDelivery):
                await self._failed_again(outcome, actor, reason)
                return replace(done, remaining=await self._parking.count(target), failed=outcome)
            done = _counted(done, outcome)
            await self._parking.remove(
                first.id,
                action="redriven",
                actor=actor,
                reason=reason,
                outcome=type(outcome).__name__.strip("_").lower(),
            )
            if isinstance(outcome, Released):
                await self._breaker.taken_out()
            elif first.reason != BEHIND:
                await self._breaker.got_through(first)

    async def redrive_strays(self) -> list[str]:
        """Replay strays automatically; returns the targets.

        A redrive that ends between a consumer's look-up of the lock and its parking leaves one.
        """
        strays = await self._parking.strays(self._clock.now() - timedelta(seconds=STRAY_SECONDS))
        for target in strays:
            log.info("stray_redriven", target=target)
            metrics.STRAYS_REDRIVEN.inc()
            await self.redrive(
                target,
                actor="service:parking",
                reason="the delivery it waited for is no longer parked",
                within_seconds=_STRAY_REDRIVE_SECONDS,
            )
        return strays

    async def _resume(self, actor: str, reason: str) -> RedriveResult:
        await self._parking.write_audit(BREAKER, action="resumed", actor=actor, reason=reason, outcome="closed")
        await self._breaker.close()
        return RedriveResult()

    async def _failed_again(self, parked: ParkedDelivery, actor: str, reason: str) -> None:
        log.error("redrive_failed", target=parked.target, position=str(parked.position), error=parked.error)
        await self._parking.failed_again(parked)
        outcome = f"failed again: {parked.id}: {parked.error}"
        await self._parking.write_audit(
            parked.target, action="redriven", actor=actor, reason=reason, outcome=outcome[:500]
        )

    async def _replay(self, parked: ParkedDelivery) -> Replayed | ParkedDelivery:
        """Retry one parked delivery; if it fails, return it with the new error."""
        record = record_of(parked)
        if parked.is_step:
            return Released()
        if record.topic in self._routes.raw:
            return await self._replay_raw(self._routes.raw[record.topic], record, parked)
        if not (types := self._routes.types(record.topic)):
            error = LookupError(f"{record.topic} is no longer consumed; discard this delivery")
            return self._slips.failed(record, parked.target, error)
        match classify(record, types):
            case NotAddressed():
                return Applied(None, ())
            case Poisoned() as poisoned:
                return replace(self._slips.poisoned(poisoned), target=parked.target)
            case event:
                by_key = parked.target == record.key_lock
                return await (self._spread(event, parked) if by_key else self._replay_for(event, parked.target))

    async def _replay_raw(
        self, handler: RawHandler, record: RawRecord, parked: ParkedDelivery
    ) -> Replayed | ParkedDelivery:
        try:
            await handler.apply([record])
        except Exception as error:
            if is_infrastructure(error):
                raise
            return self._slips.failed(record, parked.target, error)
        return Applied(None, ())

    async def _spread(self, event: Event, parked: ParkedDelivery) -> Replayed | ParkedDelivery:
        """Deliver an event parked by its key to its targets; where it fails it is parked for that target."""
        try:
            targets = (await self._routes.handler(event).targets([event]))[0]
        except Exception as error:
            if is_infrastructure(error):
                raise
            return self._slips.failed(event.record, parked.target, error, event)
        locked = await self._parking.locked(targets)
        for target in dict.fromkeys(targets):
            if target in locked:
                await self._parking.park([self._slips.behind(event, target)])
            elif isinstance(outcome := await self._replay_for(event, target), ParkedDelivery):
                await self._parking.park([outcome])
        return Applied(None, ())

    async def _replay_for(self, event: Event, target: str) -> Replayed | ParkedDelivery:
        try:
            outcome: Outcome[Any] = (await self._routes.handler(event).apply([Delivery(event, target)]))[0]
        except Exception as error:
            if is_infrastructure(error):
                raise
            outcome = Failed(error)
        match outcome:
            case Applied() | Duplicate():
                metrics.DELIVERIES.labels(type(outcome).__name__.lower()).inc()
                return outcome
            case Conflict():
                return self._slips.conflict(event, target)
            case Failed(fault):
                return self._slips.failed(event.record, target, fault, event)
            case _:
                return self._slips.behind(event, target)


def _counted(done: RedriveResult, outcome: Replayed) -> RedriveResult:
    match outcome:
        case Released():
            return replace(done, released=done.released + 1)
        case Duplicate():
            return replace(done, duplicates=done.duplicates + 1)
        case _:
            return replace(done, applied=done.applied + 1)
