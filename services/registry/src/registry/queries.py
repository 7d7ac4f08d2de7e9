"""Queries of peers and staff: batch look-ups, answered in the order of the request."""

from collections.abc import Sequence
from enum import StrEnum

from registry.contacts import load_contacts
from registry.domain.contact import Contact
from registry.domain.enterprise import Enterprise, NotRegistered, Status
from registry.domain.identifiers import Number
from registry.ports import Known, Ports


async def get_enterprise(ports: Ports, number: Number) -> Known:
    """An enterprise by any of its numbers.

    Raises:
        NotRegistered
    """
    found = (await find_enterprises(ports, [number]))[0]
    if found is None:
        raise NotRegistered(str(number))
    return await with_contact(ports, found)


async def find_enterprises(ports: Ports, numbers: Sequence[Number]) -> list[Enterprise | None]:
    """Enterprises by any of their numbers, in the order of `numbers`, in one query."""
    wanted = [str(number) for number in numbers]
    found = await ports.enterprises.find({"state.numbers": {"$in": sorted(set(wanted))}})
    by_number = {number: enterprise for enterprise in found for number in enterprise.numbers}
    return [by_number.get(number) for number in wanted]


async def find_contacts(ports: Ports, numbers: Sequence[Number]) -> list[Known | None]:
    """Enterprises with their contacts, in the order of `numbers`, in two queries."""
    found = await find_enterprises(ports, numbers)
    contacts = await load_contacts(ports, sorted({each.id for each in found if each}))
    return [None if each is None else Known(each, contacts.get(each.id, Contact())) for each in found]


class Standing(StrEnum):
    """Whether a party may act, or why not."""

    MAY_ACT = "may_act"
    UNKNOWN = "unknown"
    SUSPENDED = "suspended"
    ROLE_MISSING = "role_missing"


def standing(enterprise: Enterprise | None, role: str | None) -> Standing:
    """Whether an enterprise may act in a role; without a role, it only has to be registered and active."""
    if enterprise is None:
        return Standing.UNKNOWN
    if enterprise.status is Status.SUSPENDED:
        return Standing.SUSPENDED
    return Standing.MAY_ACT if role is None or role in enterprise.roles else Standing.ROLE_MISSING


async def with_contact(ports: Ports, enterprise: Enterprise) -> Known:
    """An enterprise with its contact."""
    contacts = await load_contacts(ports, [enterprise.id])
    return Known(enterprise, contacts.get(enterprise.id, Contact()))
