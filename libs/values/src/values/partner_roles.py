"""The roles of partners, one row each: what a role tells, what it can be granted, which declarations it concerns.

All that depends on a role follows from its row: the contracts' enum and schemas, what the gateway lets in and staff
may grant, whose word moves a declaration, the help of the command.
"""

from collections.abc import Iterable
from enum import StrEnum

_SHIPMENT = "trade.partners.shipment.*"
_EXIT = "trade.partners.exit.*"
_CONTROL = "trade.partners.control.*"
_HOLD = "trade.partners.hold.*"

PLACES, OFFICES, AGENCIES, CARRIERS = "places", "customs_offices", "agencies", "carriers"
"""Kinds of grants, by their field."""


class Concern(StrEnum):
    """By what an event meets a declaration."""

    CARRIER = "carrier"
    """The declaration names the carrier, or the event the declaration's transport document."""
    PLACE = "place"
    """The declaration has a granted place or office."""
    AGENCY = "agency"
    """As by place; or the declaration carries a document that the agency issued."""
    PAYMENT = "payment"
    """The event names what is paid for."""


class PartnerRole(StrEnum):
    events: tuple[str, ...]
    """Types of the events that are its to tell; `*` at the end stands for anything."""
    grants: frozenset[str]
    """Kinds of grants that mean something to it."""
    concern: Concern

    CARRIER = "carrier", (_SHIPMENT, _EXIT), {CARRIERS}, Concern.CARRIER
    PORT = "port", (_SHIPMENT, _EXIT), {PLACES, OFFICES}, Concern.PLACE
    RAIL = "rail", (_SHIPMENT, _EXIT), {PLACES, OFFICES}, Concern.PLACE
    CUSTOMS = "customs", (_CONTROL, _HOLD, _SHIPMENT, _EXIT), {PLACES, OFFICES}, Concern.PLACE
    INSPECTION = (
        "inspection", ("trade.partners.control.inspection_completed.v1",), {PLACES, OFFICES}, Concern.PLACE,
    )  # fmt: skip
    BANK = "bank", ("trade.partners.payment.*",), (), Concern.PAYMENT
    AGENCY = "agency", (_HOLD,), {PLACES, OFFICES, AGENCIES}, Concern.AGENCY

    def __new__(cls, name: str, events: tuple[str, ...], grants: Iterable[str], concern: Concern) -> "PartnerRole":
        role = str.__new__(cls, name)
        role._value_ = name
        role.events, role.grants, role.concern = events, frozenset(grants), concern
        return role


ROLES = {role.value: role for role in PartnerRole}
"""By name, as it stands in events and in what staff write."""
