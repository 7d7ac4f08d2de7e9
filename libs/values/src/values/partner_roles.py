"""The roles of partners, one row each: its events, its kinds of grants, and which declarations it concerns.

Everything that depends on a role is derived from its row: the enum and schemas of the contracts, what the gateway
accepts, what staff may grant, whose reports move a declaration, and the help of the command.
"""

from collections.abc import Iterable
from enum import StrEnum

_SHIPMENT = "trade.partners.shipment.*"
_EXIT = "trade.partners.exit.*"
_CONTROL = "trade.partners.control.*"
_HOLD = "trade.partners.hold.*"

PLACES, OFFICES, AGENCIES, CARRIERS = "places", "customs_offices", "agencies", "carriers"
"""Kinds of grants, named by their field."""


class Concern(StrEnum):
    """What connects a partner's event with a declaration."""

    CARRIER = "carrier"
    """The declaration names the carrier, or the event names the declaration's transport document."""
    PLACE = "place"
    """The declaration names a granted place or office."""
    AGENCY = "agency"
    """As for PLACE; or the declaration lists a document that the agency issued."""
    PAYMENT = "payment"
    """The event names what is paid for."""


class PartnerRole(StrEnum):
    events: tuple[str, ...]
    """Event types that it may report; a final `*` matches anything."""
    grants: frozenset[str]
    """Kinds of grants that apply to it."""
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
"""By the name used in events and by staff."""
