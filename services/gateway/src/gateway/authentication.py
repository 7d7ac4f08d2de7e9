"""Who is at the HTTP door: the key in `Authorization: Bearer`, checked against what is kept."""

from datetime import datetime
from typing import Protocol

from chassis.clock import Clock
from gateway.domain import keys
from gateway.domain.access import Principal
from gateway.domain.faults import Refused
from gateway.domain.keys import Key


class Keys(Protocol):
    async def get(self, id_: str) -> Key | None: ...


class Authenticator:
    """Remembers keys for a few seconds: a key that another replica revokes opens for so long yet, no longer."""

    def __init__(self, stored: Keys, clock: Clock, *, cache_seconds: float) -> None:
        self._stored = stored
        self._clock = clock
        self._cache_seconds = cache_seconds
        self._cache: dict[str, tuple[Key, float]] = {}

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
        """Ask the store again: the key was changed here."""
        self._cache.pop(id_, None)

    async def _key(self, id_: str) -> Key | None:
        now = self._clock.monotonic()
        known = self._cache.get(id_)
        if known is not None and now < known[1]:
            return known[0]
        key = await self._stored.get(id_)
        if key is None:
            self.forget(id_)
        else:
            self._cache[id_] = (key, now + self._cache_seconds)
        return key

    def _now(self) -> datetime:
        return self._clock.now()
