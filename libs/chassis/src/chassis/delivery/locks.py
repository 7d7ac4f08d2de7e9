"""A process's cached view of the locked targets, refreshed at intervals rather than per key."""

from collections.abc import Iterable, Set
from typing import Protocol

from chassis.clock import Clock
from chassis.parking import Locked

FEW = 500
"""Up to so many locks are fetched as a whole; if there are more, each batch queries its own targets."""
FRESH_SECONDS = 0.5
"""How long the fetched locks are used for later batches."""


class LockStore(Locked, Protocol):
    """The look-up of locks before each batch."""

    async def all_locked(self, limit: int) -> set[str] | None:
        """All locked targets; None if there are more than `limit`."""
        ...


class Locks:
    """The locks at the last refresh, and those that this process took since.

    The view may be stale. A delivery parked behind a lock that was released meanwhile is a stray, and is replayed. A
    delivery that another member parked meanwhile belongs to another key, and no order is promised between keys. A key
    moves to another member only with an assignment, which forces a refresh.
    """

    def __init__(self, parking: LockStore, clock: Clock) -> None:
        self._parking = parking
        self._clock = clock
        self._all: Set[str] | None = frozenset()
        self._taken: set[str] = set()
        self._looked_at: float | None = None
        """None: the next batch refreshes."""

    async def look(self) -> None:
        """Refresh the locks, unless they are still fresh."""
        now = self._clock.monotonic()
        if self._looked_at is not None and now - self._looked_at < FRESH_SECONDS:
            return
        self._looked_at = now  # before the answer: a `look_anew` in between must win
        self._taken = set()
        try:
            self._all = await self._parking.all_locked(FEW)
        except BaseException:
            self._looked_at = None
            raise

    def look_anew(self) -> None:
        """Force a refresh before the next batch."""
        self._looked_at = None

    async def among(self, targets: Set[str]) -> Set[str]:
        """The locked ones of `targets`."""
        if not targets:
            return set()
        if self._all is None:
            return await self._parking.locked(targets)
        return targets & (self._all | self._taken)

    def took(self, targets: Iterable[str]) -> None:
        """Add the locks that this process has just taken."""
        self._taken.update(targets)
        self._looked_at = None
