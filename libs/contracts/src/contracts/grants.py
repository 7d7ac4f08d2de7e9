"""The grants of a partner: what it may report on. Part of events from partners and about them."""

from pydantic import Field

from contracts.values import Identifier, Payload
from values.partner_roles import PartnerRole
from values.places import Locode

__all__ = ["GrantedPlace", "Grants", "PartnerRole"]


class GrantedPlace(Payload):
    """A place from which a partner may report."""

    unlocode: Locode = Field(description="UN/LOCODE, such as CNTAO; set by staff")
    facility: str | None = Field(default=None, description="One facility; null: all of the place; set by staff")


class Grants(Payload):
    """What a partner may report on, at the time of the event."""

    places: tuple[GrantedPlace, ...] = Field(default=(), description="Places it may report from; set by staff")
    customs_offices: tuple[str, ...] = Field(default=(), description="Customs offices it may report for; set by staff")
    agencies: tuple[str, ...] = Field(default=(), description="Codes of the agencies it may report for; set by staff")
    carriers: tuple[Identifier, ...] = Field(
        default=(), description="Registry numbers that a carrier acts under; set by staff"
    )
