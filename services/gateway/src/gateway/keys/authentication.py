"""Who is at the HTTP door: the key in `Authorization: Bearer`, checked against what is kept."""

import asyncio
from datetime import datetime
from math import inf
from typing import Protocol

from chassis.clock import Clock
from gateway.domain import keys
from gateway.domain.access import Principal
from gateway.domain.faults import Refused
from gateway.domain.keys import Key
from gateway.domain.pace import Pace

UNSEEN_PER_SECOND, UNSEEN_AT_ONCE = 10.0, 50.0
"""Look-ups of ids that no key was seen with, in the long run and after a pause."""


class Keys(Protocol):
    async def get(self, id_: str) -> Key | None: ...

    async def ids(self) -> frozenset[str]:
        """Of all keys that were ever issued."""
        ...


class KeyAuthenticator:
    """Remembers keys for a few seconds: a key that another replica revokes opens for so long yet, no longer.

    Ids that were never seen are looked up at a pace, all together: whoever makes keys up costs the database little.
    Beyond that pace the ids of all keys are read, at most once in those few seconds; so a key that another replica
    has just issued opens at once, and while somebody tries made-up ones within those seconds.
    """

    def __init__(self, stored: Keys, clock: Clock, *, cache_seconds: float) -> None:
        self._stored = stored
        self._clock = clock
        self._cache_seconds = cache_seconds
        self._cache: dict[str, tuple[Key, float]] = {}
        self._seen: set[str] = set()
        self._look_ups = Pace(UNSEEN_PER_SECOND, UNSEEN_AT_ONCE)
        self._ids_until = -inf
        self._reading_ids = asyncio.Lock()

    async def principal(self, authorization: str | None) -> Principal:
        """Who shows a key.

        Raises:
            Refused: there is no key, or not a valid one; which of the two is all that is told.
        """
        scheme, _, credential = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Refused("key-missing")
        presented = keys.read(credential.strip())
        if presented is None:
            raise Refused("key-invalid")
        key = await self._key(presented.id)
        if not keys.opens(key, presented, self._now()) or key is None:
            raise Refused("key-invalid")
        return key.principal

    def forget(self, id_: str) -> None:
        """Ask the store again: the key was issued or changed here."""
        self._cache.pop(id_, None)
        self._seen.add(id_)

    async def _key(self, id_: str) -> Key | None:
        now = self._clock.monotonic()
        known = self._cache.get(id_)
        if known is not None and now < known[1]:
            return known[0]
        if id_ not in self._seen and self._look_ups.wait_seconds("", now) > 0:
            await self._read_ids(id_)
            if id_ not in self._seen:
                return None
        key = await self._stored.get(id_)
        if key is not None:
            self._seen.add(id_)
            self._cache[id_] = (key, now + self._cache_seconds)
        return key

    async def _read_ids(self, wanted: str) -> None:
        async with self._reading_ids:  # who waited here finds what was read meanwhile
            now = self._clock.monotonic()
            if wanted not in self._seen and now >= self._ids_until:
                self._seen |= await self._stored.ids()
                self._ids_until = now + self._cache_seconds

    def _now(self) -> datetime:
        return self._clock.now()
