"""Events of partner systems, published by the gateway on `partners.events.v1`.

Only the gateway writes them: every event was authenticated, authorised, validated, de-duplicated and stamped. The
gateway sets `publisher`, `publisher_role`, `grants`, `received_at`, `submission_id` and `submission_source`; the
partner sets everything else.
"""

from enum import StrEnum

from pydantic import Field

from contracts.gateway.v1 import ReceiptFacts
from contracts.grants import Grants, PartnerRole
from contracts.values import Classifier, Location, Money, Payload, References, Timestamp, personal
from values.payments import BankReference
from values.references import SubmissionId, SubmissionSource


class PartnerEvent(Payload):
    """The fields of every partner event."""

    classifier: Classifier = Field(description="PLN planned, EST estimated, ACT actual; set by the partner")
    occurred_at: Timestamp = Field(description="When it happened or is expected, with offset; set by the partner")
    received_at: Timestamp = Field(description="When the gateway received it; set by the gateway")
    publisher: str = Field(description="The partner's code; set by the gateway from the key or topic")
    publisher_role: PartnerRole = Field(description="The partner's role; set by the gateway")
    grants: Grants | None = Field(
        default=None, description="What the partner may report on; null in old events; set by the gateway"
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
        default=None, description="The partner's own id of the event that this one retracts; set by the partner"
    )
    retracts_source: SubmissionSource | None = Field(
        default=None,
        description="Source of the retracted event; set by the partner, otherwise by the gateway to this one's source",
    )
    receipt: ReceiptFacts | None = Field(default=None, description="How it reached the gateway; set by the gateway")


class ShipmentArrived(PartnerEvent):
    """The means of transport with the goods arrived at the place of entry."""


class ShipmentDeparted(PartnerEvent):
    """The means of transport with the goods left."""


class GateIn(PartnerEvent):
    """The goods entered the facility, where they are presented to customs."""


class GateOut(PartnerEvent):
    """The goods left the facility; an import is then removed."""


class BorderCrossed(PartnerEvent):
    """The goods passed a border."""


class DocumentsRequested(PartnerEvent):
    """Customs asks for documents."""

    documents: tuple[str, ...] = Field(description="Types of the documents asked for; set by customs")


class DocumentsAccepted(PartnerEvent):
    """Customs accepted the documents."""


class InspectionResult(StrEnum):
    CONFORM = "conform"
    DISCREPANCY = "discrepancy"


class InspectionCompleted(PartnerEvent):
    """The physical inspection has ended."""

    result: InspectionResult = Field(description="Set by the inspecting body")
    findings: str | None = personal(default=None, max_length=2000, description="Set by the inspecting body")


class HoldPlaced(PartnerEvent):
    """An agency's hold blocks the release of the goods."""

    hold: str = Field(max_length=60, description="The hold's code, such as quarantine or permit; set by the agency")


class HoldLifted(PartnerEvent):
    """An agency lifts its hold."""

    hold: str = Field(max_length=60, description="The code of the hold that ends; set by the agency")


class PaymentConfirmed(PartnerEvent):
    """A bank confirms money paid for duties.

    `references` name what is paid: the payment reference of an assessment, a declaration number, or only the UCR. A
    payment that names only the UCR is allocated to its open assessments, earliest deadline first.
    """

    amount: Money = Field(description="The amount paid; set by the bank")
    payment_reference: BankReference = Field(description="The bank's own reference of the payment; set by the bank")


class PaymentReversed(PartnerEvent):
    """A bank reverses a confirmed payment."""

    amount: Money = Field(description="The amount reversed; set by the bank")
    payment_reference: BankReference = Field(
        description="The bank's own reference of the reversed payment; set by the bank"
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
