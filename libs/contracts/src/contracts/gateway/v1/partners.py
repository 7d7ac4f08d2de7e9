"""Who may report what: partners, their role and their grants."""

from pydantic import Field

from contracts.grants import Grants, PartnerRole
from contracts.values import Payload, Timestamp


class PartnerFact(Payload):
    """The fields of every event about a partner."""

    partner: str = Field(description="The partner's code; set by staff")
    at: Timestamp = Field(description="When the change was made; set by the gateway")
    by: str = Field(description="Who made the change: staff:<name>; set by the gateway")


class PartnerRegistered(PartnerFact):
    """A partner was registered with its code and its role, both permanent."""

    role: PartnerRole = Field(description="The partner's role; set by staff")


class PartnerGranted(PartnerFact):
    """Grants were added to a partner."""

    grants: Grants = Field(description="What was added; set by staff")
    reason: str = Field(default="", description="Why; set by staff")


class PartnerRevoked(PartnerFact):
    """Grants were taken from a partner. Decisions on its earlier reports are not changed."""

    grants: Grants = Field(description="What was taken away; set by staff")
    reason: str = Field(description="Why; set by staff")


PARTNER_FACTS: dict[str, type[PartnerFact]] = {
    "trade.gateway.partner.registered.v1": PartnerRegistered,
    "trade.gateway.partner.granted.v1": PartnerGranted,
    "trade.gateway.partner.revoked.v1": PartnerRevoked,
}
"""Event types about partners → payload."""
