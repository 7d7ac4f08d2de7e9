"""What the handlers need, and what they give."""

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
        """The stored ones of some enterprises, in one round trip."""
        ...

    async def save(self, enterprise_id: str, contact: Contact) -> bool:
        """Compare-and-set on the contact's version; False where it was changed by others."""
        ...

    async def erase(self, enterprise_id: str) -> None:
        """Forget everything personal."""
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
    """An enterprise with its personal data."""

    enterprise: Enterprise
    contact: Contact
