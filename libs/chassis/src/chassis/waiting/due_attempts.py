"""Due attempts: from this process's memory, otherwise from a scan of the database.

Keeps: no waiting attempt is forgotten. A scan finds all attempts due before the next scan, including the ends of other
processes' leases; an attempt that was taken and not started is remembered again.
"""

import math
from collections.abc import Iterable
from datetime import timedelta

from chassis.aggregates.store import Documents
from chassis.clock import Clock
from chassis.waiting.alarm import SELDOM_SECONDS, Alarm
from chassis.waiting.known_due import Due, KnownDue
from chassis.waiting.places import Places

INTERVAL_SECONDS = 1.0
"""Seconds between two scans while more is due than is remembered."""
LOOK_LIMIT = 2_000


class DueAttempts:
    """The waiting attempts of one effect, and their alarm."""

    def __init__(self, documents: Documents, route: str, places: Places, clock: Clock) -> None:
        self.alarm = Alarm(clock)
        self._documents = documents
        self._route = route
        """The state's field that holds the route."""
        self._places = places
        self._clock = clock
        self._known = KnownDue()
        self._looked_at = -math.inf
        self._left_alone: set[str] = set()

    def know(self, due: Due) -> None:
        """Remember an attempt and set the alarm."""
        self._known.add(due)
        self.alarm.set(due.moment)

    def know_again(self, taken: Iterable[Due]) -> None:
        """Remember attempts that were taken and not started."""
        for due in taken:
            if due.id not in self._left_alone:
                self._known.add(due)

    def leave_alone(self, id_: str) -> None:
        """Ignore an aggregate until this process saves it again."""
        self._left_alone.add(id_)

    async def take(self) -> list[Due]:
        """Due attempts for which a place is free."""
        now = self._clock.now()
        if self._places.free <= 0:
            return []
        if chosen := self._known.take(now, self._places.free, self._places.room):
            return chosen
        pause = INTERVAL_SECONDS if self._known.worth_a_look else SELDOM_SECONDS
        if self._clock.monotonic() - self._looked_at < pause:
            return []
        await self._look()
        # Places may have been taken during the scan.
        return self._known.take(now, self._places.free, self._places.room)

    async def _look(self) -> None:
        self._looked_at = self._clock.monotonic()
        until = self._clock.now() + timedelta(seconds=SELDOM_SECONDS)
        limit, full = LOOK_LIMIT + len(self._places.in_hand), self._known.full_routes
        route = f"state.{self._route}"
        found = await self._documents.find(
            {"due_at": {"$lte": until}, route: {"$nin": full}, "_id": {"$nin": sorted(self._left_alone)}},
            sort=[("due_at", 1)],
            limit=limit,
            fields=(route, "due_at"),
        )
        for document in found:
            if document["_id"] not in self._places.in_hand:
                self.know(Due(document["due_at"], document["_id"], document["state"][self._route]))
        self._known.scanned(full, more=len(found) == limit)
