"""The queue of parked deliveries of one target: its first delivery, and its release once empty."""

from typing import Protocol

from chassis.parking import ParkedDelivery


class QueueStore(Protocol):
    """The store operations of one target's queue."""

    async def waiting(self, target: str, limit: int) -> list[ParkedDelivery]:
        """A target's deliveries in replay order: by topic, partition and offset."""
        ...

    async def lock_version(self, target: str) -> int | None:
        """The version of a target's lock; None if it has none."""
        ...

    async def release(self, target: str, version: int) -> bool:
        """Unlock a target if nothing was appended since `version` was read."""
        ...


async def first_of(parking: QueueStore, target: str) -> ParkedDelivery | None:
    """The delivery that is replayed next; None if the queue is empty."""
    return next(iter(await parking.waiting(target, 1)), None)


async def release_empty(parking: QueueStore, target: str) -> bool:
    """Unlock a target whose queue is empty; false if something was parked meanwhile."""
    version = await parking.lock_version(target)
    if await first_of(parking, target) is not None:
        return False
    return version is None or await parking.release(target, version)
