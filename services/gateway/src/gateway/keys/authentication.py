"""Authentication: checks the key in `Authorization: Bearer` against the stored keys."""

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
"""Look-ups of key ids never seen before: sustained rate, and burst."""


class Keys(Protocol):
    async def get(self, id_: str) -> Key | None: ...

    async def ids(self) -> frozenset[str]:
        """The ids of all keys ever issued."""
        ...


class KeyAuthenticator:
    """Caches keys for `cache_seconds`: a key revoked at another replica works for that long at most.

    Look-ups of key ids never seen before are rate-limited for all callers together, so made-up keys cost the database
    little. Above the limit, the ids of all keys are read, at most once per `cache_seconds`. So a key just issued by
    another replica works at once, or within `cache_seconds` while made-up keys are being tried.
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
        """The owner of the presented key.

        Raises:
            Refused: the key is missing (`key-missing`) or invalid (`key-invalid`); no more is disclosed.
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
        """Drop a key from the cache after it was issued or revoked here."""
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
        async with self._reading_ids:  # a second caller finds the ids already read
            now = self._clock.monotonic()
            if wanted not in self._seen and now >= self._ids_until:
                self._seen |= await self._stored.ids()
                self._ids_until = now + self._cache_seconds

    def _now(self) -> datetime:
        return self._clock.now()
