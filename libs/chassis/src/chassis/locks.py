"""Which targets are locked, as one batch sees it: asked once, and not for each of its keys."""

from collections.abc import Iterable, Set

from chassis.parking import ParkingStore

FEW = 500
"""So many locks are fetched whole; where more stand, those that matter are asked for."""


class Locks:
    """The locks as they stood when a batch was taken up, and those that it took since.

    The look may be older than what it decides about. What is parked behind a lock that went meanwhile is a
    stray, which is replayed; what another member parked meanwhile is of another key, and between keys no
    order is promised.
    """

    def __init__(self, parking: ParkingStore, all_: Set[str] | None) -> None:
        self._parking = parking
        self._all = all_
        self._taken: set[str] = set()

    @classmethod
    async def look(cls, parking: ParkingStore) -> "Locks":
        """See what is locked now."""
        return cls(parking, await parking.all_locked(FEW))

    async def among(self, targets: Set[str]) -> Set[str]:
        """Those of `targets` that are locked."""
        if not targets:
            return set()
        if self._all is None:
            return await self._parking.locked(targets)
        return targets & (self._all | self._taken)

    def took(self, targets: Iterable[str]) -> None:
        """Know what the batch has parked itself."""
        self._taken.update(targets)
