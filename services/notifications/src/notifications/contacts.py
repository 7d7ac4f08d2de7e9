"""How to reach enterprises, as registry says it.

Most events tell firms that were told a moment ago: what registry said is remembered for a minute, so that a
notice to them is addressed in the write that creates it. Personal data: remembered in memory only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.clock import Clock

REMEMBERED_SECONDS = 60.0
"""So long a firm's former address may still be written to."""
MAX_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach an enterprise. Personal data."""

    email: str
    language: str


class Contacts(Protocol):
    async def contacts(self, recipients: Sequence[str]) -> list[Contact | None]:
        """Per SCHEME:VALUE its contact, None where it is unknown. Raises infrastructure errors."""
        ...


class KnownContacts:
    """Contacts that are asked for, and for a while known without asking."""

    def __init__(self, contacts: Contacts, clock: Clock) -> None:
        self._contacts = contacts
        self._clock = clock
        self._known: dict[str, tuple[float, Contact]] = {}
        """Recipient → when registry said it, and what; the latest said last."""

    async def contacts(self, recipients: Sequence[str]) -> list[Contact | None]:
        """Ask registry. Raises infrastructure errors where it is away."""
        asked_at = self._clock.monotonic()
        answers = await self._contacts.contacts(recipients)
        for recipient, contact in zip(recipients, answers, strict=True):
            self._known.pop(recipient, None)
            # Who has no address (yet) is asked for every time: its next mail need not be given up as well.
            if contact is not None and contact.email:
                self._known[recipient] = asked_at, contact
        while len(self._known) > MAX_REMEMBERED:
            del self._known[next(iter(self._known))]
        return answers

    def known(self, recipient: str) -> Contact | None:
        """What registry said of a recipient lately; None: it is to be asked."""
        said_at, contact = self._known.get(recipient, (0.0, None))
        if contact is None or self._clock.monotonic() - said_at > REMEMBERED_SECONDS:
            return None
        return contact

    def forget(self, recipient: str) -> None:
        """Its data is erased."""
        self._known.pop(recipient, None)
