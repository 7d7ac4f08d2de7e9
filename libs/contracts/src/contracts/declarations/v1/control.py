"""Control: the lane, requests of customs, inspections, and holds of agencies."""

from enum import StrEnum

from pydantic import Field

from contracts.declarations.v1.fact import DeclarationFact, InternalFact
from contracts.partners.v1 import InspectionResult
from contracts.values import Payload, Timestamp, personal


class Lane(StrEnum):
    GREEN = "green"
    BLUE = "blue"
    YELLOW = "yellow"
    RED = "red"


class RuleHit(Payload):
    rule: str = Field(description="Id of the risk rule; set by customs")
    version: int = Field(description="Version of the rule; set by customs")
    points: int = Field(description="What it added to the score; set by customs")
    lane: Lane | None = Field(default=None, description="The minimum lane that it requires; set by customs")


class Routed(InternalFact):
    """The lane, with everything needed to recompute it. Never shown to the trader."""

    lane: Lane = Field(description="Set by the risk engine")
    score: int = Field(description="Sum of the hits' points; set by the risk engine")
    hits: tuple[RuleHit, ...] = Field(description="Rules that matched; set by the risk engine")
    inputs: dict[str, str] = Field(description="The inputs of the rules; set by the risk engine")
    seed: str = Field(description="Hex digits that decide the random selection, from the declaration id")
    routed_at: Timestamp = Field(description="Set by declarations")


class DocumentsRequested(DeclarationFact):
    """Customs requires documents before it continues."""

    documents: tuple[str, ...] = Field(description="Types of the documents asked for; set by customs")


class DocumentsAccepted(DeclarationFact):
    """Customs accepted the documents."""


class InspectionOrdered(DeclarationFact):
    """The goods are to be inspected."""

    ordered_at: Timestamp = Field(description="Set by declarations")


class InspectionCompleted(DeclarationFact):
    result: InspectionResult = Field(description="Set by the inspecting body")
    findings: str | None = personal(default=None, description="Set by the inspecting body")


class HoldPlaced(DeclarationFact):
    """An agency's hold blocks the release of the goods."""

    hold: str = Field(description="Code of the hold; set by the agency")


class HoldLifted(DeclarationFact):
    hold: str = Field(description="Code of the hold that ended; set by the agency")


EVENTS: dict[str, type[DeclarationFact]] = {
    "trade.declarations.declaration.routed.v1": Routed,
    "trade.declarations.declaration.documents_requested.v1": DocumentsRequested,
    "trade.declarations.declaration.documents_accepted.v1": DocumentsAccepted,
    "trade.declarations.declaration.inspection_ordered.v1": InspectionOrdered,
    "trade.declarations.declaration.inspection_completed.v1": InspectionCompleted,
    "trade.declarations.declaration.hold_placed.v1": HoldPlaced,
    "trade.declarations.declaration.hold_lifted.v1": HoldLifted,
}
"""Event type on the wire → payload."""
