"""What becomes of parked deliveries: replayed in order, or given up.

A redrive replays a target's deliveries with their original ids and stops at one that fails again;
new ones queue behind until the last one is through. It looks for the first one anew each time, so
that an older record that came late goes first, and what is discarded meanwhile is left out. Two at
once do no harm: each replays in order, and what the other applied is a duplicate. Everything that
staff do is in the audit; what they discard also leaves a line with its aggregate.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias

import structlog

from chassis.aggregates import Applied, Conflict, Duplicate, Failed, Outcome
from chassis.clock import Clock
from chassis.delivery.breaker import Breaker
from chassis.delivery.records import Event, NotAddressed, Poisoned, RawRecord, classify
from chassis.delivery.slips import Slips, record_of
from chassis.delivery.subscriptions import Delivery, NotesGivenUp, RawHandler, Routes
from chassis.failpoints import passage
from chassis.failures import is_infrastructure
from chassis.parking.model import BEHIND, BREAKER, ParkedDelivery, ParkingStore
from chassis.telemetry import metrics

STRAY_SECONDS = 10.0
"""What was kept so long ago and is not locked was left by a process that died in between."""
_STRAY_REDRIVE_SECONDS = 5.0
_PAGE = 100

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """What a redrive did."""

    applied: int = 0
    duplicates: int = 0
    released: int = 0
    """Timers and pending steps, which are tried again by themselves."""
    remaining: int = 0
    failed: ParkedDelivery | None = None
    """The one that failed again, as it is parked now; none where time ran out, or nothing remains."""


class Released:
    """A timer or a pending step was unlocked: it is tried again by itself."""


Replayed: TypeAlias = Applied[Any] | Duplicate[Any] | Released


class Redrive:
    """Replays and gives up what one service has parked."""

    def __init__(self, routes: Routes, parking: ParkingStore, breaker: Breaker, clock: Clock, slips: Slips) -> None:
        self._routes = routes
        self._parking = parking
        self._breaker = breaker
        self._clock = clock
        self._slips = slips

    async def redrive(
        self, target: str, *, actor: str, reason: str, within_seconds: float | None = None
    ) -> RedriveResult:
        """Replay a target's deliveries in order; stop at one that fails again, or when the time is over.

        The target `~breaker` is consumption as a whole: it goes on.

        Raises:
            InfrastructureError: or a driver's own; what was not reached stays parked.
        """
        if target == BREAKER:
            return await self._resume(actor, reason)
        began, done = self._clock.monotonic(), RedriveResult()
        while True:
            first = await self._first(target)
            if first is None:
                if await self._release(target):
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

    async def discard(self, delivery_id: str, *, actor: str, reason: str) -> bool:
        """Give one delivery up, leaving it in the audit and a line with its aggregate; false where there is none.

        What waits behind it stays until it is redriven.
        """
        parked = await self._parking.show(delivery_id)
        if parked is None:
            return False
        await self._note_given_up(parked, actor, reason)
        await self._parking.remove(delivery_id, action="discarded", actor=actor, reason=reason, outcome="discarded")
        await self._release(parked.target)
        await self._breaker.taken_out()
        return True

    async def redrive_strays(self) -> list[str]:
        """Replay what waits behind nothing, so that nobody has to; returns the targets.

        A redrive that ends between a consumer's look at the lock and its parking behind it leaves such.
        """
        strays = await self._parking.strays(self._clock.now() - timedelta(seconds=STRAY_SECONDS))
        for target in strays:
            log.info("stray_redriven", target=target)
            metrics.STRAYS_REDRIVEN.inc()
            await self.redrive(
                target,
                actor="service:parking",
                reason="nothing that it waits for is parked any more",
                within_seconds=_STRAY_REDRIVE_SECONDS,
            )
        return strays

    async def restore_given_up(self) -> int:
        """Leave the lines of all that the audit says was discarded again; harmless to repeat."""
        restored, mark = 0, None
        while page := await self._parking.discarded(mark, _PAGE):
            for line in page:
                if line.delivery is not None:
                    restored += await self._note_given_up(line.delivery, line.by, line.why)
            mark = page[-1].mark
        return restored

    async def _resume(self, actor: str, reason: str) -> RedriveResult:
        await self._parking.write_audit(BREAKER, action="resumed", actor=actor, reason=reason, outcome="closed")
        await self._breaker.close()
        return RedriveResult()

    async def _first(self, target: str) -> ParkedDelivery | None:
        return next(iter(await self._parking.waiting(target, 1)), None)

    async def _release(self, target: str) -> bool:
        """Unlock a target that nothing waits for any more; false where something came meanwhile."""
        version = await self._parking.lock_version(target)
        if await self._first(target) is not None:
            return False
        return version is None or await self._parking.release(target, version)

    async def _failed_again(self, parked: ParkedDelivery, actor: str, reason: str) -> None:
        log.error("redrive_failed", target=parked.target, position=str(parked.position), error=parked.error)
        await self._parking.failed_again(parked)
        outcome = f"failed again: {parked.id}: {parked.error}"
        await self._parking.write_audit(
            parked.target, action="redriven", actor=actor, reason=reason, outcome=outcome[:500]
        )

    async def _replay(self, parked: ParkedDelivery) -> Replayed | ParkedDelivery:
        """Try one parked delivery again; where it fails, as it is to be parked now."""
        record = record_of(parked)
        if parked.is_step:
            return Released()
        if record.topic in self._routes.raw:
            return await self._replay_raw(self._routes.raw[record.topic], record, parked)
        if not (types := self._routes.types(record.topic)):
            error = LookupError(f"{record.topic} is not consumed any more; discard what is parked of it")
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
        """Hand what waited under its key to its targets; what fails there is parked there."""
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

    async def _note_given_up(self, parked: ParkedDelivery, actor: str, why: str) -> bool:
        """Leave a line with the aggregate, where there is one; it makes the same input a duplicate from now on."""
        record = record_of(parked)
        event = classify(record, self._routes.types(record.topic))
        if parked.target == record.key_lock or not isinstance(event, Event):
            return False
        handler = self._routes.handler(event)
        if not isinstance(handler, NotesGivenUp):
            return False
        try:
            await handler.give_up(Delivery(event, parked.target), actor=actor, why=why)
        except Exception as error:
            if is_infrastructure(error):
                raise
            log.error("given_up_not_noted", target=parked.target, position=str(parked.position), error=repr(error))
            return False
        return True


def _counted(done: RedriveResult, outcome: Replayed) -> RedriveResult:
    match outcome:
        case Released():
            return replace(done, released=done.released + 1)
        case Duplicate():
            return replace(done, duplicates=done.duplicates + 1)
        case _:
            return replace(done, applied=done.applied + 1)
