"""Which targets are locked, as the batches of one process see it: asked seldom, and not for each of their keys."""

from collections.abc import Iterable, Set
from typing import Protocol

from chassis.clock import Clock
from chassis.parking.model import Locked

FEW = 500
"""So many locks are fetched whole; where more stand, those that matter are asked for."""
FRESH_SECONDS = 0.5
"""So long a look serves later batches too."""


class LockStore(Locked, Protocol):
    """What is asked of the locks before each batch."""

    async def all_locked(self, limit: int) -> set[str] | None:
        """Everything that has something parked; None where that is more than `limit`."""
        ...


class Locks:
    """The locks as they stood at the latest look, and those that this process took since.

    The look may be older than what it decides about. What is parked behind a lock that went meanwhile is a
    stray, which is replayed; what another member parked meanwhile is of another key, and between keys no
    order is promised. A key can become another member's with an assignment alone, and then is looked anew.
    """

    def __init__(self, parking: LockStore, clock: Clock) -> None:
        self._parking = parking
        self._clock = clock
        self._all: Set[str] | None = frozenset()
        self._taken: set[str] = set()
        self._looked_at: float | None = None
        """None: the next batch looks anew."""

    async def look(self) -> None:
        """See what is locked, unless that was seen a moment ago."""
        now = self._clock.monotonic()
        if self._looked_at is not None and now - self._looked_at < FRESH_SECONDS:
            return
        self._looked_at = now  # before the answer: who asks to look anew meanwhile is heard
        self._taken = set()
        try:
            self._all = await self._parking.all_locked(FEW)
        except BaseException:
            self._looked_at = None
            raise

    def look_anew(self) -> None:
        """Something changed that a look of before cannot know."""
        self._looked_at = None

    async def among(self, targets: Set[str]) -> Set[str]:
        """Those of `targets` that are locked."""
        if not targets:
            return set()
        if self._all is None:
            return await self._parking.locked(targets)
        return targets & (self._all | self._taken)

    def took(self, targets: Iterable[str]) -> None:
        """Know what this process has parked itself."""
        self._taken.update(targets)
        self._looked_at = None
