"""Facts about enterprises, published by registry on `registry.events.v1`. Key: the enterprise id.

Names and contacts are not included: a service that needs them calls registry over gRPC.
"""

from enum import StrEnum

from pydantic import Field

from contracts.values import Identifier, Payload


class EnterpriseRole(StrEnum):
    DECLARANT = "declarant"
    IMPORTER = "importer"
    EXPORTER = "exporter"
    AGENT = "agent"
    CARRIER = "carrier"


class EnterpriseFact(Payload):
    enterprise_id: str = Field(description="SCHEME:VALUE of the primary identifier; set by registry")


class EnterpriseRegistered(EnterpriseFact):
    country: str = Field(description="ISO 3166 country of registration; set by staff")
    identifiers: tuple[Identifier, ...] = Field(description="All numbers, the primary one first; set by staff")
    roles: tuple[EnterpriseRole, ...] = Field(description="What it may act as; set by staff")
    warnings: tuple[str, ...] = Field(default=(), description="Codes of rules that warn only; set by registry")


class EnterpriseChanged(EnterpriseFact):
    identifiers: tuple[Identifier, ...] = Field(description="All numbers after the change; set by staff")
    roles: tuple[EnterpriseRole, ...] = Field(description="All roles after the change; set by staff")
    warnings: tuple[str, ...] = Field(default=(), description="Codes of rules that warn only; set by registry")


class EnterpriseSuspended(EnterpriseFact):
    reason: str = Field(description="Why, as a code; set by staff")


class EnterpriseReinstated(EnterpriseFact):
    reason: str = Field(description="Why, as a code; set by staff")


EVENTS: dict[str, type[EnterpriseFact]] = {
    "trade.registry.enterprise.registered.v1": EnterpriseRegistered,
    "trade.registry.enterprise.changed.v1": EnterpriseChanged,
    "trade.registry.enterprise.suspended.v1": EnterpriseSuspended,
    "trade.registry.enterprise.reinstated.v1": EnterpriseReinstated,
}
"""Event type on the wire → payload."""
