"""The breaker: pauses all consumption when too many deliveries are parked for one reason in a short time.

It opens for all replicas, through a lock in the database. It closes when staff resume consumption, when one of these
deliveries is redriven successfully (the cause is fixed), or when none of them is parked any more. Redriving other
deliveries leaves it open: consumption would only park everything that follows.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from chassis.clock import Clock
from chassis.parking import OpenBreaker, ParkedDelivery
from chassis.telemetry import metrics

BREAKER_PARKS = 50
BREAKER_SECONDS = 60.0
"""More parked deliveries than this, for one reason and within this time, open the breaker."""

log = structlog.get_logger(__name__)


class BreakerStore(Protocol):
    """Stores the breaker, shared by all replicas."""

    async def set_breaker(self, reason: str) -> None: ...

    async def breaker(self) -> OpenBreaker | None: ...

    async def clear_breaker(self) -> None: ...

    async def any_parked(self, reason: str, since: datetime) -> bool:
        """Whether a delivery parked for this reason since then is still parked."""
        ...


class Breaker:
    """Counts parked deliveries in this process, and opens for all replicas."""

    def __init__(self, parking: BreakerStore, clock: Clock) -> None:
        self._parking = parking
        self._clock = clock
        self._recent: dict[str, deque[float]] = {}

    async def count(self, reason: str) -> None:
        """Count one parked delivery; open if the limit is exceeded."""
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

    async def close(self) -> None:
        """Resume consumption, whatever is parked."""
        self._recent.clear()
        await self._parking.clear_breaker()
        metrics.BREAKER_OPEN.set(0)
        log.warning("breaker_closed")

    async def got_through(self, delivery: ParkedDelivery) -> None:
        """Close if the delivery just redriven is one of those that opened it."""
        open_ = await self._parking.breaker()
        if open_ is not None and _of_flood(delivery, open_):
            await self.close()

    async def taken_out(self) -> None:
        """Close if none of the deliveries that opened it is parked any more."""
        open_ = await self._parking.breaker()
        if open_ is not None and not await self._parking.any_parked(open_.reason, _began(open_)):
            await self.close()


def _of_flood(delivery: ParkedDelivery, open_: OpenBreaker) -> bool:
    return delivery.reason == open_.reason and delivery.parked_at is not None and delivery.parked_at >= _began(open_)


def _began(open_: OpenBreaker) -> datetime:
    return open_.opened_at - timedelta(seconds=BREAKER_SECONDS)
