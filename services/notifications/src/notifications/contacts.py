"""Contacts of enterprises from registry, cached for a minute.

The consumer queries registry once per batch for contacts that are not cached, so that a notice is addressed in the
write that creates it. An unreachable registry delays no notice: its address is looked up later. Contacts are personal
data: the cache is in memory only.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc
import structlog

from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.failures import is_infrastructure

CACHED_SECONDS = 60.0
"""How long a contact is cached, and so how long mail may still go to a former address."""
MAX_CACHED = 10_000
ASK_SECONDS = 1.0
"""How long the consumer waits for registry."""
ASK_AGAIN_SECONDS = 5.0
"""How long the consumer sends no query after registry was unreachable."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach an enterprise. Personal data."""

    email: str
    language: str


class Contacts(Protocol):
    async def contacts(self, recipients: Sequence[str]) -> list[Contact | None]:
        """One contact per recipient (SCHEME:VALUE), None if unknown. Raises infrastructure errors."""
        ...


class KnownContacts:
    """Contacts from registry, with a cache."""

    def __init__(self, contacts: Contacts, clock: Clock) -> None:
        self._contacts = contacts
        self._clock = clock
        self._cached: dict[str, tuple[float, Contact]] = {}
        """Recipient → time of the answer and the contact, oldest answer first."""
        self._away_until = 0.0

    async def contacts(self, recipients: Sequence[str]) -> list[Contact | None]:
        """Query registry and cache the answers. Raises infrastructure errors if it is unreachable."""
        asked_at = self._clock.monotonic()
        answers = await self._contacts.contacts(recipients)
        for recipient, contact in zip(recipients, answers, strict=True):
            self._cached.pop(recipient, None)
            # A contact without an address is not cached: the next mail may find one.
            if contact is not None and contact.email:
                self._cached[recipient] = asked_at, contact
        while len(self._cached) > MAX_CACHED:
            del self._cached[next(iter(self._cached))]
        return answers

    async def ask_once(self, recipients: Sequence[str]) -> Mapping[str, Contact | None]:
        """Recipient → contact, from the cache or one query to registry.

        A missing recipient has to be looked up later: registry is unreachable or slow.
        """
        found: dict[str, Contact | None] = {each: contact for each in recipients if (contact := self.known(each))}
        unknown = [each for each in dict.fromkeys(recipients) if each not in found]
        if not unknown or self._clock.monotonic() < self._away_until:
            return found
        try:
            passage("peer.before")
            async with asyncio.timeout(ASK_SECONDS):
                answers = await self.contacts(unknown)
            passage("peer.answered")
        except Exception as error:
            # A query that registry refuses is left to pending work too, which finds the recipient it is about.
            if not (is_infrastructure(error) or isinstance(error, grpc.aio.AioRpcError)):
                raise
            self._away_until = self._clock.monotonic() + ASK_AGAIN_SECONDS
            log.warning("contacts_not_known", error=repr(error)[:300])
            return found
        return found | dict(zip(unknown, answers, strict=True))

    def known(self, recipient: str) -> Contact | None:
        """The cached contact of a recipient; None if registry has to be queried."""
        answered_at, contact = self._cached.get(recipient, (0.0, None))
        if contact is None or self._clock.monotonic() - answered_at > CACHED_SECONDS:
            return None
        return contact

    def forget(self, recipient: str) -> None:
        """Remove a recipient whose data is being erased."""
        self._cached.pop(recipient, None)
