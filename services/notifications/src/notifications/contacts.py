"""Contacts of enterprises from registry, cached for a minute.

Most events notify firms that were notified shortly before. Caching their contacts lets a notice be addressed in the
write that creates it. Contacts are personal data: the cache is in memory only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.clock import Clock

CACHED_SECONDS = 60.0
"""How long a contact is cached, and so how long mail may still go to a former address."""
MAX_CACHED = 10_000


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

    def known(self, recipient: str) -> Contact | None:
        """The cached contact of a recipient; None if registry has to be queried."""
        answered_at, contact = self._cached.get(recipient, (0.0, None))
        if contact is None or self._clock.monotonic() - answered_at > CACHED_SECONDS:
            return None
        return contact

    def forget(self, recipient: str) -> None:
        """Remove a recipient whose data is being erased."""
        self._cached.pop(recipient, None)
