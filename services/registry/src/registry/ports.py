"""The ports of the handlers and the type they return."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from registry.claims import Claims, Enterprises
from registry.domain.contact import Contact
from registry.domain.enterprise import Enterprise
from registry.domain.identifiers import IdentifierRules
from registry.turns import Turns


class Contacts(Protocol):
    async def load(self, ids: Sequence[str]) -> dict[str, Contact]:
        """The stored contacts of these enterprises, in one round trip."""
        ...

    async def save(self, enterprise_id: str, contact: Contact) -> bool:
        """Compare-and-set on the contact's version; False if it was changed concurrently."""
        ...

    async def erase(self, enterprise_id: str) -> None:
        """Delete the enterprise's personal data."""
        ...


@dataclass(frozen=True)
class Ports:
    enterprises: Enterprises
    claims: Claims
    contacts: Contacts
    rules: IdentifierRules
    turns: Turns = field(default_factory=Turns)


@dataclass(frozen=True, slots=True)
class Known:
    """An enterprise and its contact."""

    enterprise: Enterprise
    contact: Contact
