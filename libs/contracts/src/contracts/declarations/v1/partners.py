"""What partners report, as it was noted, and the shares that the account of a UCR sets."""

from enum import StrEnum

from pydantic import Field

from contracts.declarations.v1.fact import DeclarationFact, InternalFact
from contracts.grants import Grants, PartnerRole
from contracts.partners.v1 import InspectionResult
from contracts.values import DecimalString, Location, Money, References, Timestamp, personal
from values.payments import BankReference


class WithoutEffect(StrEnum):
    """Why a partner's event does not affect a declaration. Texts: `effect.<code>` in the catalogue."""

    NOT_CONCERNED = "not_concerned"
    PAYMENT_CURRENCY = "payment_currency"


class PartnerEventNoted(InternalFact):
    """A partner's report, or its retraction, was recorded. Its consequences are published as other events.

    It is recorded again under the same `event_id` if a corrected declaration or the currency of the assessment changes
    whether it counts; the last one counts.
    """

    event_id: str = Field(description="The platform's id of the partner's event; set by the gateway")
    kind: str = Field(description="Aggregate and fact of the event's type, such as shipment.arrived")
    occurred_at: Timestamp = Field(description="When it happened; set by the partner")
    event_received_at: Timestamp = Field(description="When the gateway received it; set by the gateway")
    publisher: str = Field(description="The partner's code; set by the gateway")
    publisher_role: PartnerRole = Field(description="The partner's role; set by the gateway")
    submission_id: str = Field(description="The partner's own id of the event; set by the partner")
    submission_source: str | None = Field(default=None, description="Source in which that id is unique; set by it")
    retracts: str | None = Field(default=None, description="The partner's own id of the retracted event; set by it")
    retracts_source: str | None = Field(default=None, description="Source of the retracted event; set by the partner")
    grants: Grants | None = Field(default=None, description="What the partner may report on; set by the gateway")
    references: References | None = Field(default=None, description="What the event names; set by the partner")
    without_effect: WithoutEffect | None = Field(
        default=None, description="Why the event has no effect; null if it counts; set by declarations"
    )
    effect_parameters: dict[str, str] = Field(
        default_factory=dict, description="Parameters of the reason's text; set by declarations"
    )
    location: Location | None = Field(default=None, description="Where; set by the partner")
    documents: tuple[str, ...] = Field(default=(), description="Documents asked for; set by customs")
    hold: str | None = Field(default=None, description="Code of the hold; set by the agency")
    result: InspectionResult | None = Field(default=None, description="Set by the inspecting body")
    findings: str | None = personal(default=None, description="Set by the inspecting body")
    amount: Money | None = Field(default=None, description="Set by the bank")
    payment_reference: BankReference | None = Field(
        default=None, description="The bank's own reference; set by the bank"
    )


class PaymentAllocated(InternalFact):
    """The account of the UCR set the declaration's share of a payment that named the UCR only."""

    publisher: str = Field(description="Code of the bank whose payment it is; set by the gateway")
    bank_reference: BankReference = Field(description="The bank's own reference of the payment; set by the bank")
    amount: Money = Field(description="The total share; negative if it takes back money that named the declaration")
    in_time: DecimalString = Field(description="The part received by the payment deadline, in the same currency")
    allocation: int = Field(ge=1, description="Number of the allocation in the account; the highest counts")


EVENTS: dict[str, type[DeclarationFact]] = {
    "trade.declarations.declaration.partner_event_noted.v1": PartnerEventNoted,
    "trade.declarations.declaration.payment_allocated.v1": PaymentAllocated,
}
"""Event type on the wire → payload."""
