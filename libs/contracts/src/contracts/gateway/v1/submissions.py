"""What a firm submitted, with its receipt."""

from pydantic import Field

from contracts.gateway.v1.declaration import Declaration, DeclarationFunction
from contracts.gateway.v1.investment import Mandate, Project
from contracts.gateway.v1.receipt import ReceiptFacts
from contracts.values import Identifier, Payload, Timestamp


class DeclarationSubmitted(Payload):
    receipt_id: str = Field(description="The gateway's receipt, with the original bytes; set by the gateway")
    received_at: Timestamp = Field(description="When the gateway received it; set by the gateway")
    firm: Identifier = Field(description="The firm whose key lodged it; set by the gateway")
    function: DeclarationFunction = Field(description="Original, or correction of a rejected one; set by the declarant")
    declaration: Declaration = Field(description="What was declared; set by the declarant")
    receipt: ReceiptFacts | None = Field(default=None, description="How it reached the gateway; set by the gateway")


class ProjectSubmitted(Payload):
    receipt_id: str = Field(description="The gateway's receipt; set by the gateway")
    received_at: Timestamp = Field(description="When the gateway received it; set by the gateway")
    firm: Identifier = Field(description="The sponsor, by the key that submitted it; set by the gateway")
    project: Project = Field(description="What is sought; set by the sponsor")
    receipt: ReceiptFacts | None = Field(default=None, description="How it reached the gateway; set by the gateway")


class MandateSubmitted(Payload):
    receipt_id: str = Field(description="The gateway's receipt; set by the gateway")
    received_at: Timestamp = Field(description="When the gateway received it; set by the gateway")
    firm: Identifier = Field(description="The investor, by the key that submitted it; set by the gateway")
    mandate: Mandate = Field(description="What is offered; set by the investor")
    receipt: ReceiptFacts | None = Field(default=None, description="How it reached the gateway; set by the gateway")


SUBMISSIONS: dict[str, type[Payload]] = {
    "trade.gateway.declaration.submitted.v1": DeclarationSubmitted,
    "trade.gateway.project.submitted.v1": ProjectSubmitted,
    "trade.gateway.mandate.submitted.v1": MandateSubmitted,
}
"""Event types of firms' submissions → payload."""
