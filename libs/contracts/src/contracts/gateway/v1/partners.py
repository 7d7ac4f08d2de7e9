"""Who may report what: partners, their role and their grants."""

from pydantic import Field

from contracts.grants import Grants, PartnerRole
from contracts.values import Payload, Timestamp


class PartnerFact(Payload):
    """What every event about a partner says."""

    partner: str = Field(description="The partner's code; set by staff")
    at: Timestamp = Field(description="When; set by the gateway")
    by: str = Field(description="Who: staff:<name>; set by the gateway")


class PartnerRegistered(PartnerFact):
    """A partner has its code and its one role, both for ever."""

    role: PartnerRole = Field(description="What it is; set by staff")


class PartnerGranted(PartnerFact):
    """A partner may report on more than before."""

    grants: Grants = Field(description="What was added; set by staff")
    reason: str = Field(default="", description="Why; set by staff")


class PartnerRevoked(PartnerFact):
    """A partner may no longer report on some things. What it reported before stays as it was decided."""

    grants: Grants = Field(description="What was taken away; set by staff")
    reason: str = Field(description="Why; set by staff")


PARTNER_FACTS: dict[str, type[PartnerFact]] = {
    "trade.gateway.partner.registered.v1": PartnerRegistered,
    "trade.gateway.partner.granted.v1": PartnerGranted,
    "trade.gateway.partner.revoked.v1": PartnerRevoked,
}
"""Type of what happened to a partner → payload."""
