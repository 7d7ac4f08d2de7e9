"""Events of partner systems, as the gateway publishes them on `partners.events.v1`.

Only the gateway writes them: whatever stands here was authenticated, authorised, validated,
de-duplicated and stamped. `publisher`, `publisher_role`, `grants`, `received_at`,
`submission_id` and `submission_source` are the gateway's; everything else is the partner's.
"""

from enum import StrEnum

from pydantic import Field

from contracts.gateway.v1 import ReceiptFacts
from contracts.grants import Grants, PartnerRole
from contracts.values import Classifier, Location, Money, Payload, References, Timestamp, personal
from values.payments import BankReference
from values.references import SubmissionId, SubmissionSource


class PartnerEvent(Payload):
    """What every partner event says, whatever happened."""

    classifier: Classifier = Field(description="PLN planned, EST estimated, ACT actual; set by the partner")
    occurred_at: Timestamp = Field(description="When it happened or is expected, with offset; set by the partner")
    received_at: Timestamp = Field(description="When the gateway had it; set by the gateway")
    publisher: str = Field(description="The partner's code; set by the gateway from the key or topic")
    publisher_role: PartnerRole = Field(description="The partner's role; set by the gateway")
    grants: Grants | None = Field(
        default=None, description="What the partner may report on; set by the gateway, absent in events before grants"
    )
    submission_id: SubmissionId = Field(
        description="The partner's own event id; set by the gateway from the CloudEvent"
    )
    submission_source: SubmissionSource | None = Field(
        default=None, description="The CloudEvent's source, in which the id is unique; set by the gateway"
    )
    location: Location | None = Field(default=None, description="Where; set by the partner")
    references: References = Field(description="Which shipment; set by the partner")
    retracts: SubmissionId | None = Field(
        default=None, description="The partner's own id of the event that this one takes back; set by the partner"
    )
    retracts_source: SubmissionSource | None = Field(
        default=None,
        description="Source of the event taken back; set by the partner, else by the gateway to this event's own",
    )
    receipt: ReceiptFacts | None = Field(default=None, description="How it came here; set by the gateway")


class ShipmentArrived(PartnerEvent):
    """The means of transport with the goods arrived at the place of entry."""


class ShipmentDeparted(PartnerEvent):
    """The means of transport with the goods left."""


class GateIn(PartnerEvent):
    """The goods entered the facility: they are presented to customs there."""


class GateOut(PartnerEvent):
    """The goods left the facility: an import is removed."""


class BorderCrossed(PartnerEvent):
    """The goods passed a border."""


class DocumentsRequested(PartnerEvent):
    """Customs asks for documents."""

    documents: tuple[str, ...] = Field(description="Types of the documents asked for; set by customs")


class DocumentsAccepted(PartnerEvent):
    """Customs is content with the documents."""


class InspectionResult(StrEnum):
    CONFORM = "conform"
    DISCREPANCY = "discrepancy"


class InspectionCompleted(PartnerEvent):
    """The physical inspection has ended."""

    result: InspectionResult = Field(description="Set by the inspecting body")
    findings: str | None = personal(default=None, max_length=2000, description="Set by the inspecting body")


class HoldPlaced(PartnerEvent):
    """An agency keeps the goods from being released."""

    hold: str = Field(max_length=60, description="The hold's code, such as quarantine or permit; set by the agency")


class HoldLifted(PartnerEvent):
    """An agency lifts its hold."""

    hold: str = Field(max_length=60, description="The code of the hold that ends; set by the agency")


class PaymentConfirmed(PartnerEvent):
    """A bank confirms money paid for duties.

    `references` name what is paid: the payment reference of an assessment or a declaration number, else the UCR
    alone. What names a UCR alone is spread over its open assessments, the oldest deadline first.
    """

    amount: Money = Field(description="What was paid; set by the bank")
    payment_reference: BankReference = Field(description="The bank's own reference of the payment; set by the bank")


class PaymentReversed(PartnerEvent):
    """A bank takes a confirmed payment back."""

    amount: Money = Field(description="What was taken back; set by the bank")
    payment_reference: BankReference = Field(
        description="The bank's own reference of the payment that is reversed; set by the bank"
    )


class ExitConfirmed(PartnerEvent):
    """The goods left the customs territory."""


EVENTS: dict[str, type[PartnerEvent]] = {
    "trade.partners.shipment.arrived.v1": ShipmentArrived,
    "trade.partners.shipment.departed.v1": ShipmentDeparted,
    "trade.partners.shipment.gate_in.v1": GateIn,
    "trade.partners.shipment.gate_out.v1": GateOut,
    "trade.partners.shipment.border_crossed.v1": BorderCrossed,
    "trade.partners.control.documents_requested.v1": DocumentsRequested,
    "trade.partners.control.documents_accepted.v1": DocumentsAccepted,
    "trade.partners.control.inspection_completed.v1": InspectionCompleted,
    "trade.partners.hold.placed.v1": HoldPlaced,
    "trade.partners.hold.lifted.v1": HoldLifted,
    "trade.partners.payment.confirmed.v1": PaymentConfirmed,
    "trade.partners.payment.reversed.v1": PaymentReversed,
    "trade.partners.exit.confirmed.v1": ExitConfirmed,
}
"""Event type on the wire → payload."""
