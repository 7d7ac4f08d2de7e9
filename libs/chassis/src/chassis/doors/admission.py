"""Admission to a door: a number of requests are handled at once, some wait for a place, the rest are turned away.

All doors of a process share a few database connections. Admitting more requests would make them queue there, hold
memory and time out, and their senders retry. A waiting request has cost nothing yet; one that is turned away has not
begun, and is given a time to retry. Requests that publish are also turned away while the outbox is overloaded.

A place is held only while the service works on a request, not while the client sends it or reads the answer.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from chassis.failures import InfrastructureError
from chassis.settings import DoorSettings
from chassis.telemetry import metrics

WAIT_SECONDS: Final = 1.0
"""How long a request may wait for a place; after longer the client has given up."""

AGAIN_SECONDS: Final = 2
"""The retry delay for turned-away requests; by then the requests in progress have ended many times over."""

Overloaded = Callable[[], bool]


class TurnedAway(InfrastructureError):
    """The door is full; the request has not begun and may be sent again."""

    def __init__(self, why: str) -> None:
        super().__init__(f"turned away: {why}; retry in {AGAIN_SECONDS} s")


def never() -> bool:
    """The overload check of a service that publishes nothing."""
    return False


class Place:
    """One request's place at a door. It may be released while the request waits for others, and taken again."""

    def __init__(self, places: asyncio.Semaphore, door: str) -> None:
        self._places = places
        self._taken = metrics.DOOR_PLACES_TAKEN.labels(door)
        self._held = False

    async def take(self) -> None:
        """Wait for a place, first come first served; does nothing if it is held."""
        if not self._held:
            await self._places.acquire()
            self._held = True
            self._taken.inc()

    def leave(self) -> None:
        """Release the place; does nothing if it is not held."""
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
        """Get a place, held; the caller must leave it.

        Raises:
            TurnedAway: the request publishes and the outbox is overloaded; too many wait; or it waited too long.
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
