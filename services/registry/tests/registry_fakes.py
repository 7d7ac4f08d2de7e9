"""In-memory claims and contacts for handler tests. They pass the same contract suite as the real stores."""

from collections.abc import Sequence
from dataclasses import replace

from registry.claims import Claim
from registry.domain.contact import Contact


class MemoryClaims:
    def __init__(self) -> None:
        self.stored: dict[str, Claim] = {}

    async def load(self, numbers: Sequence[str]) -> dict[str, Claim]:
        return {number: self.stored[number] for number in numbers if number in self.stored}

    async def insert(self, claim: Claim) -> bool:
        return self.stored.setdefault(claim.number, claim) is claim

    async def replace(self, claim: Claim, expected_version: int) -> bool:
        present = self.stored.get(claim.number)
        if present is None or present.version != expected_version:
            return False
        self.stored[claim.number] = claim
        return True


class MemoryContacts:
    def __init__(self) -> None:
        self.stored: dict[str, Contact] = {}

    async def load(self, ids: Sequence[str]) -> dict[str, Contact]:
        return {id_: self.stored[id_] for id_ in ids if id_ in self.stored}

    async def save(self, enterprise_id: str, contact: Contact) -> bool:
        present = self.stored.get(enterprise_id)
        if (present.version if present else 0) != contact.version:
            return False
        self.stored[enterprise_id] = replace(contact, version=contact.version + 1)
        return True

    async def erase(self, enterprise_id: str) -> None:
        self.stored.pop(enterprise_id, None)
