"""What a door lets in: so many requests in hand, a few that wait for a place, and the rest turned away at once.

Behind all doors of a process lie the few connections to its database. What is let in beyond them waits there, holds
memory, and ends as a time-out of somebody who asks again. Who waits here has cost nothing yet; who is turned away has
begun nothing, and hears when to come again. What publishes is turned away too while the outbox is overloaded.

A place is held while the service works for a request, and no longer: not while its sender sends, nor while it reads.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from chassis.failures import InfrastructureError
from chassis.settings import DoorSettings
from chassis.telemetry import metrics

WAIT_SECONDS: Final = 1.0
"""How long a request may wait for a place: longer is not in time for whoever asked."""

AGAIN_SECONDS: Final = 2
"""After so long who was turned away may come again: the requests in hand have ended many times over."""

Overloaded = Callable[[], bool]


class TurnedAway(InfrastructureError):
    """The door has no room; nothing was begun, and the same request may come again."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no room: {why}; come again in {AGAIN_SECONDS} s")


def never() -> bool:
    """Of a service that publishes nothing."""
    return False


class Place:
    """One request's place at a door. It may be left while others are waited for, and taken again."""

    def __init__(self, places: asyncio.Semaphore, door: str) -> None:
        self._places = places
        self._taken = metrics.DOOR_PLACES_TAKEN.labels(door)
        self._held = False

    async def take(self) -> None:
        """Wait for a place, in turn; the same as nothing where it is held."""
        if not self._held:
            await self._places.acquire()
            self._held = True
            self._taken.inc()

    def leave(self) -> None:
        """Give it to the next one; the same as nothing where it is not held."""
        if self._held:
            self._held = False
            self._taken.dec()
            self._places.release()


class Admission:
    """The places of one door of this process."""

    def __init__(self, door: str, settings: DoorSettings, overloaded: Overloaded = never) -> None:
        self._door = door
        self._places = asyncio.Semaphore(settings.places)
        self._room = settings.waiting
        self._waiting = 0
        self._overloaded = overloaded
        metrics.DOOR_PLACES.labels(door).set(settings.places)

    async def enter(self, *, publishes: bool) -> Place:
        """A place, held; whoever gets it leaves it.

        Raises:
            TurnedAway: the outbox is overloaded and the request publishes; too many wait; or it has waited too long.
        """
        if publishes and self._overloaded():
            raise self._turned_away("unsent")
        place = Place(self._places, self._door)
        if not self._places.locked():
            await place.take()
            return place
        if self._waiting >= self._room:
            raise self._turned_away("full")
        self._wait(1)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await place.take()
        except TimeoutError:
            place.leave()
            raise self._turned_away("late") from None
        finally:
            self._wait(-1)
        return place

    def _wait(self, more: int) -> None:
        self._waiting += more
        metrics.DOOR_WAITING.labels(self._door).inc(more)

    def _turned_away(self, why: str) -> TurnedAway:
        metrics.DOOR_TURNED_AWAY.labels(self._door, why).inc()
        return TurnedAway(why)
