"""What is parked for one target, as a queue: its first delivery, and its end."""

from typing import Protocol

from chassis.parking.model import ParkedDelivery


class QueueStore(Protocol):
    """What is needed of the store to see a target's queue to its end."""

    async def waiting(self, target: str, limit: int) -> list[ParkedDelivery]:
        """A target's deliveries in the order in which they are replayed: per topic by partition and offset."""
        ...

    async def lock_version(self, target: str) -> int | None:
        """The version of a target's lock, None where it has none."""
        ...

    async def release(self, target: str, version: int) -> bool:
        """Unlock a target if nothing was appended since `version` was read."""
        ...


async def first_of(parking: QueueStore, target: str) -> ParkedDelivery | None:
    """The delivery that is replayed next; None where nothing waits."""
    return next(iter(await parking.waiting(target, 1)), None)


async def release_empty(parking: QueueStore, target: str) -> bool:
    """Unlock a target that nothing waits for any more; false where something came meanwhile."""
    version = await parking.lock_version(target)
    if await first_of(parking, target) is not None:
        return False
    return version is None or await parking.release(target, version)
