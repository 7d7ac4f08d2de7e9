"""The care of what is parked: unlock what is empty, replay what waits for nothing, count the rest."""

import structlog

from chassis.delivery.policy import DeliveryPolicy
from chassis.parking.model import ParkingStore
from chassis.telemetry import metrics

log = structlog.get_logger(__name__)


async def mind_parked(parking: ParkingStore, policy: DeliveryPolicy) -> bool:
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
