"""The account of a UCR, published by declarations: money paid under the UCR only, and how it was allocated.

Folding the facts of one account in their order gives its whole state. Types and version: `v1`.
"""

from pydantic import Field

from contracts.grants import PartnerRole
from contracts.values import DecimalString, Money, Payload, Timestamp
from values.payments import BankReference


class SettlementFact(Payload):
    """The fields of every event of an account."""

    settlement_id: str = Field(description="The platform's id of the account, from the UCR; set by declarations")
    ucr: str = Field(description="Unique consignment reference whose money it is")


class ReportNoted(SettlementFact):
    """A bank's report of money under the UCR was recorded. If its effect changes it is recorded again; the last one
    counts."""

    declaration_id: str | None = Field(
        default=None, description="The declaration that it names; null: the UCR only; set by declarations"
    )
    event_id: str = Field(description="The platform's id of the bank's event; set by the gateway")
    kind: str = Field(description="Aggregate and fact of the event's type: payment.confirmed or payment.reversed")
    occurred_at: Timestamp = Field(description="When it happened; set by the bank")
    event_received_at: Timestamp = Field(description="When the gateway received it; set by the gateway")
    publisher: str = Field(description="The bank's code; set by the gateway")
    publisher_role: PartnerRole = Field(description="The bank's role; set by the gateway")
    submission_id: str = Field(description="The bank's own id of the event; set by the bank")
    submission_source: str | None = Field(default=None, description="Source in which that id is unique; set by it")
    retracts: str | None = Field(default=None, description="The bank's own id of the retracted event; set by it")
    retracts_source: str | None = Field(default=None, description="Source of the retracted event; set by the bank")
    without_effect: str | None = Field(
        default=None, description="Why it has no effect, a code of `WithoutEffect`; set by declarations"
    )
    effect_parameters: dict[str, str] = Field(
        default_factory=dict, description="Parameters of the reason's text; set by declarations"
    )
    amount: Money | None = Field(default=None, description="Set by the bank")
    payment_reference: BankReference | None = Field(
        default=None, description="The bank's own reference; set by the bank"
    )


class AssessmentNoted(SettlementFact):
    """An assessment under the UCR was recorded."""

    declaration_id: str = Field(description="The declaration assessed; set by declarations")
    due: Money = Field(description="What is to be paid; set by declarations")
    pay_by: Timestamp | None = Field(default=None, description="Payment deadline; null if nothing is due")


class Allocated(SettlementFact):
    """A declaration's share of a payment was set; it replaces the previous share."""

    declaration_id: str = Field(description="The declaration that gets the share; set by declarations")
    publisher: str = Field(description="Code of the bank whose payment it is; set by the gateway")
    payment_reference: BankReference = Field(description="The bank's own reference of the payment; set by the bank")
    amount: Money = Field(description="The total share; negative if it takes back money that named the declaration")
    in_time: DecimalString = Field(description="The part received by the payment deadline, in the same currency")
    allocation: int = Field(ge=1, description="Number of the allocation in the account, from 1; the highest counts")
    allocated_at: Timestamp = Field(description="Set by declarations")


EVENTS: dict[str, type[SettlementFact]] = {
    "trade.declarations.settlement.report_noted.v1": ReportNoted,
    "trade.declarations.settlement.assessment_noted.v1": AssessmentNoted,
    "trade.declarations.settlement.allocated.v1": Allocated,
}
"""Event type on the wire → payload."""
