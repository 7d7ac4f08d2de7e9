"""What a partner is and may report on: its role and its grants, in events of partners and about them."""

from pydantic import Field

from contracts.values import Identifier, Payload
from values.partner_roles import PartnerRole
from values.places import Locode

__all__ = ["GrantedPlace", "Grants", "PartnerRole"]


class GrantedPlace(Payload):
    """A place that a partner reports from."""

    unlocode: Locode = Field(description="UN/LOCODE, such as CNTAO; set by staff")
    facility: str | None = Field(default=None, description="The one facility meant; none: every one of the place")


class Grants(Payload):
    """What a partner may report on, as it was when the event came in."""

    places: tuple[GrantedPlace, ...] = Field(default=(), description="Where it reports from; set by staff")
    customs_offices: tuple[str, ...] = Field(default=(), description="Customs offices it speaks for; set by staff")
    agencies: tuple[str, ...] = Field(default=(), description="Codes of the agencies it speaks for; set by staff")
    carriers: tuple[Identifier, ...] = Field(
        default=(), description="Registry numbers that a carrier acts under; set by staff"
    )
