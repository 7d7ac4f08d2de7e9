"""What partners of each role may tell, and what they can be granted: one row a role."""

from collections.abc import Mapping
from dataclasses import dataclass

_SHIPMENT = "trade.partners.shipment.*"
_EXIT = "trade.partners.exit.*"

PLACES, OFFICES, AGENCIES, CARRIERS = "places", "customs_offices", "agencies", "carriers"
"""Kinds of grants, by their field."""


@dataclass(frozen=True, slots=True)
class Role:
    events: tuple[str, ...]
    """Types of the events that are its to tell; `*` at the end stands for anything."""
    grants: frozenset[str] = frozenset()
    """Kinds of grants that mean something to it."""


ROLES: Mapping[str, Role] = {
    "carrier": Role((_SHIPMENT, _EXIT), frozenset({CARRIERS})),
    "port": Role((_SHIPMENT, _EXIT), frozenset({PLACES, OFFICES})),
    "rail": Role((_SHIPMENT, _EXIT), frozenset({PLACES, OFFICES})),
    "customs": Role(
        ("trade.partners.control.*", "trade.partners.hold.*", _SHIPMENT, _EXIT), frozenset({PLACES, OFFICES})
    ),
    "inspection": Role(("trade.partners.control.inspection_completed.v1",), frozenset({PLACES, OFFICES})),
    "bank": Role(("trade.partners.payment.*",)),
    "agency": Role(("trade.partners.hold.*",), frozenset({PLACES, OFFICES, AGENCIES})),
}
"""By name. A new role is a row here, a value of the contract's `PartnerRole`, and a row in declarations' authority."""
