"""The account of a UCR, as declarations publishes it: money that names the UCR alone, and who got how much of it.

Folding the facts of one account in their order gives its whole state. Types and version: `v1`.
"""

from pydantic import Field

from contracts.grants import PartnerRole
from contracts.values import DecimalString, Money, Payload, Timestamp
from values.payments import BankReference


class SettlementFact(Payload):
    """What every event of an account says."""

    settlement_id: str = Field(description="The platform's id of the account, from the UCR; set by declarations")
    ucr: str = Field(description="Unique consignment reference whose money it is")


class ReportNoted(SettlementFact):
    """A bank's report of money under the UCR was noted. It is noted again where its effect changes: the last holds."""

    declaration_id: str | None = Field(
        default=None, description="The declaration that it names; none: the UCR alone; set by declarations"
    )
    event_id: str = Field(description="Id of the bank's event on the platform; set by the gateway")
    kind: str = Field(description="Aggregate and fact of the event's type: payment.confirmed or payment.reversed")
    occurred_at: Timestamp = Field(description="When it happened; set by the bank")
    event_received_at: Timestamp = Field(description="When the gateway had it; set by the gateway")
    publisher: str = Field(description="The bank's code; set by the gateway")
    publisher_role: PartnerRole = Field(description="The bank's role; set by the gateway")
    submission_id: str = Field(description="The bank's own id of the event; set by the bank")
    submission_source: str | None = Field(default=None, description="Source in which that id is unique; set by it")
    retracts: str | None = Field(default=None, description="The bank's own id of what is taken back; set by it")
    retracts_source: str | None = Field(default=None, description="Source of what is taken back; set by the bank")
    without_effect: str | None = Field(
        default=None, description="Code of why it counts for nothing, as of `WithoutEffect`; set by declarations"
    )
    effect_parameters: dict[str, str] = Field(
        default_factory=dict, description="What the reason's text puts in; set by declarations"
    )
    amount: Money | None = Field(default=None, description="Set by the bank")
    payment_reference: BankReference | None = Field(
        default=None, description="The bank's own reference; set by the bank"
    )


class AssessmentNoted(SettlementFact):
    """The account learnt of an assessment under its UCR."""

    declaration_id: str = Field(description="Whose assessment; set by declarations")
    due: Money = Field(description="What is to be paid; set by declarations")
    pay_by: Timestamp | None = Field(default=None, description="Last moment for payment; none where nothing is due")


class Allocated(SettlementFact):
    """A declaration's share of a payment was set: what it gets in all, in place of what it got before."""

    declaration_id: str = Field(description="Who gets it; set by declarations")
    publisher: str = Field(description="Code of the bank whose payment it is; set by the gateway")
    payment_reference: BankReference = Field(description="The bank's own reference of the payment; set by the bank")
    amount: Money = Field(description="The share in all; below zero it takes money back that named the declaration")
    in_time: DecimalString = Field(description="The part that the door had by the payment deadline, same currency")
    allocation: int = Field(ge=1, description="Counts the account's allocations, from 1; the highest holds")
    allocated_at: Timestamp = Field(description="Set by declarations")


EVENTS: dict[str, type[SettlementFact]] = {
    "trade.declarations.settlement.report_noted.v1": ReportNoted,
    "trade.declarations.settlement.assessment_noted.v1": AssessmentNoted,
    "trade.declarations.settlement.allocated.v1": Allocated,
}
"""Event type on the wire → payload."""
