"""Looks up the registered role and grants of partners."""

from dataclasses import replace
from typing import Protocol

from chassis.clock import Clock
from gateway.domain.access import Owner, OwnerKind, Principal, default_scopes
from gateway.domain.faults import Refused
from gateway.domain.partner import Partner


class Registered(Protocol):
    async def get(self, id_: str, /) -> Partner | None: ...


class KnownPartners:
    """Caches partners for `cache_seconds`: a change made at another replica takes effect that much later."""

    def __init__(self, registered: Registered, clock: Clock, *, cache_seconds: float) -> None:
        self._registered = registered
        self._clock = clock
        self._cache_seconds = cache_seconds
        self._cache: dict[str, tuple[Partner, float]] = {}

    async def find(self, code: str) -> Partner | None:
        """The partner with this code, None if not registered."""
        now = self._clock.monotonic()
        known = self._cache.get(code)
        if known is not None and now < known[1]:
            return known[0]
        partner = await self._registered.get(code)
        if partner is None:
            self.forget(code)
        else:
            self._cache[code] = (partner, now + self._cache_seconds)
        return partner

    def forget(self, code: str) -> None:
        """Drop a partner from the cache after it was changed here."""
        self._cache.pop(code, None)

    async def as_registered(self, principal: Principal) -> Principal:
        """A partner with its registered role and grants; its scopes narrow them.

        Raises:
            Refused: the partner is not registered.
        """
        partner = await self.find(principal.owner.code)
        if partner is None:
            raise Refused("partner-not-registered", partner=principal.owner.code)
        owner = Owner(OwnerKind.PARTNER, partner.code, partner.role)
        return replace(principal, owner=owner, scopes=principal.scopes or default_scopes(owner), grants=partner.grants)
