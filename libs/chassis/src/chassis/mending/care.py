"""Periodic care of parked deliveries: unlocks empty targets, replays strays, updates the gauges."""

from typing import Protocol

import structlog

from chassis.delivery import DeliveryPolicy
from chassis.parking import OpenBreaker
from chassis.telemetry import metrics

log = structlog.get_logger(__name__)


class CareStore(Protocol):
    """The store operations of the care."""

    async def is_empty(self) -> bool:
        """Whether nothing is parked or locked and the breaker is closed, which is the normal case."""
        ...

    async def release_empty(self) -> list[str]:
        """Unlock targets without parked deliveries, left by processes that died after removing the last one."""
        ...

    async def counts(self) -> tuple[int, int]:
        """(parked deliveries, locked targets)"""
        ...

    async def breaker(self) -> OpenBreaker | None: ...


async def mind_parked(parking: CareStore, policy: DeliveryPolicy) -> bool:
    """One round; return whether anything is parked or locked. Raises only for infrastructure; gauges then keep their
    values."""
    if await parking.is_empty():
        _show(0, 0, open_=False)
        return False
    for target in await parking.release_empty():
        log.info("empty_lock_released", target=target)
    await policy.redrive_strays()
    deliveries, targets = await parking.counts()
    # Another replica may have opened or closed it, or this one before a restart.
    _show(deliveries, targets, open_=await parking.breaker() is not None)
    return True


def _show(deliveries: int, targets: int, *, open_: bool) -> None:
    metrics.PARKED_DELIVERIES.set(deliveries)
    metrics.PARKED_TARGETS.set(targets)
    metrics.BREAKER_OPEN.set(open_)
