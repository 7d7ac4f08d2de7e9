"""The breaker: so many parks of one reason within so short a time pause consumption as a whole.

It is open for all replicas, by a lock in the database. It closes when staff say so, when one of the
flood got through a redrive (its cause is mended), or when nothing of the flood is parked any more.
Mending something else leaves it open: consumption would only park the next part of the world.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from chassis.clock import Clock
from chassis.parking.model import OpenBreaker, ParkedDelivery
from chassis.telemetry import metrics

BREAKER_PARKS = 50
BREAKER_SECONDS = 60.0
"""So many parks of one reason within so long pause consumption instead of parking the world."""

log = structlog.get_logger(__name__)


class BreakerStore(Protocol):
    """Where the breaker stands open for all replicas."""

    async def set_breaker(self, reason: str) -> None: ...

    async def breaker(self) -> OpenBreaker | None: ...

    async def clear_breaker(self) -> None: ...

    async def any_parked(self, reason: str, since: datetime) -> bool:
        """Whether something that was parked with this reason since then still waits."""
        ...


class Breaker:
    """Counts parks in this process, and opens for all."""

    def __init__(self, parking: BreakerStore, clock: Clock) -> None:
        self._parking = parking
        self._clock = clock
        self._recent: dict[str, deque[float]] = {}

    async def count(self, reason: str) -> None:
        """Count one park; open where it is one too many."""
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
        """Let consumption go on, whatever is parked."""
        self._recent.clear()
        await self._parking.clear_breaker()
        metrics.BREAKER_OPEN.set(0)
        log.warning("breaker_closed")

    async def got_through(self, delivery: ParkedDelivery) -> None:
        """Close if a delivery that was just redriven with success is one of the flood."""
        open_ = await self._parking.breaker()
        if open_ is not None and _of_flood(delivery, open_):
            await self.close()

    async def taken_out(self) -> None:
        """Close if nothing of the flood is parked any more."""
        open_ = await self._parking.breaker()
        if open_ is not None and not await self._parking.any_parked(open_.reason, _began(open_)):
            await self.close()


def _of_flood(delivery: ParkedDelivery, open_: OpenBreaker) -> bool:
    return delivery.reason == open_.reason and delivery.parked_at is not None and delivery.parked_at >= _began(open_)


def _began(open_: OpenBreaker) -> datetime:
    return open_.opened_at - timedelta(seconds=BREAKER_SECONDS)
