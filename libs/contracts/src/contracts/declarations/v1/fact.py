"""What every event of a declaration says: which declaration, and how it lies after the event."""

from enum import StrEnum

from pydantic import Field

from contracts.values import Direction, Party, Payload


class MainStatus(StrEnum):
    """The main status of a declaration, as its life goes."""

    SUBMITTED = "submitted"
    REJECTED = "rejected"
    PRELODGED = "prelodged"
    ACCEPTED = "accepted"
    UNDER_CONTROL = "under_control"
    ASSESSED = "assessed"
    RELEASED = "released"
    REMOVED = "removed"
    EXITED = "exited"
    CLOSED = "closed"


class ControlMatter(StrEnum):
    """What control waits for."""

    DISCREPANCY = "discrepancy"
    DOCUMENTS_REQUESTED = "documents_requested"
    INSPECTION_ORDERED = "inspection_ordered"
    DOCUMENT_CHECK = "document_check"


class MoneyStatus(StrEnum):
    NIL = "nil"
    DUE = "due"
    SHORT = "short"
    PAID = "paid"
    REVERSED = "reversed"


class RegionSummary(Payload):
    """The regions beside the main status. For the platform's own eyes: what control waits for tells of the lane."""

    control: tuple[ControlMatter, ...] = Field(
        description="What control waits for, the gravest first; set by declarations"
    )
    held: bool = Field(description="Whether an agency holds the goods; set by declarations")
    money: MoneyStatus = Field(description="nil also while nothing is assessed; set by declarations")
    overdue: bool = Field(description="Whether too little had come in by the deadline; set by declarations")
    presented: bool = Field(description="Whether customs can see the goods; set by declarations")
    left_unreleased: bool = Field(
        description="Whether the goods were gone before they were released; set by declarations"
    )


class DeclarationFact(Payload):
    """What every event of a declaration says."""

    declaration_id: str = Field(description="The platform's id of the declaration; set by declarations")
    lrn: str = Field(description="The declarant's local reference; set by the declarant")
    ucr: str = Field(description="Unique consignment reference of the shipment")
    direction: Direction = Field(description="Import or export")
    declaration_number: str | None = Field(default=None, description="Number issued at acceptance; set by declarations")
    parties: tuple[Party, ...] = Field(description="Who takes part, by number")
    main_status: MainStatus | None = Field(
        default=None, description="After the event; none in events before it was told; set by declarations"
    )
    regions: RegionSummary | None = Field(
        default=None, description="After the event; none in events before they were told; set by declarations"
    )
