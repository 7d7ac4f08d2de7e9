"""The care of what is parked: unlock what is empty, replay what waits for nothing, count the rest."""

from typing import Protocol

import structlog

from chassis.delivery.policy import DeliveryPolicy
from chassis.parking.model import OpenBreaker
from chassis.telemetry import metrics

log = structlog.get_logger(__name__)


class CareStore(Protocol):
    """What the care of parked deliveries looks at."""

    async def is_empty(self) -> bool:
        """Whether nothing is parked or locked, and the breaker is closed: as it nearly always is."""
        ...

    async def release_empty(self) -> list[str]:
        """Unlock targets that have nothing parked any more: whoever took the last delivery out died before it could."""
        ...

    async def counts(self) -> tuple[int, int]:
        """(parked deliveries, locked targets)"""
        ...

    async def breaker(self) -> OpenBreaker | None: ...


async def mind_parked(parking: CareStore, policy: DeliveryPolicy) -> bool:
    """One round; whether anything is parked or locked. Raises only for infrastructure; what is shown stays then."""
    if await parking.is_empty():
        _show(0, 0, open_=False)
        return False
    for target in await parking.release_empty():
        log.info("empty_lock_released", target=target)
    await policy.redrive_strays()
    deliveries, targets = await parking.counts()
    # Any replica may have opened or closed it, or this one before it was started anew.
    _show(deliveries, targets, open_=await parking.breaker() is not None)
    return True


def _show(deliveries: int, targets: int, *, open_: bool) -> None:
    metrics.PARKED_DELIVERIES.set(deliveries)
    metrics.PARKED_TARGETS.set(targets)
    metrics.BREAKER_OPEN.set(open_)
