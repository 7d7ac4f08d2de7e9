"""The fields that every event of a declaration repeats: its identity, and its status after the event."""

from enum import StrEnum

from pydantic import Field

from contracts.values import Direction, Party, Payload


class MainStatus(StrEnum):
    """The main status of a declaration, in the order of its life."""

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
    """The regions besides the main status. Internal to the platform: pending control would reveal the lane."""

    control: tuple[ControlMatter, ...] = Field(
        description="What control waits for, the most serious first; set by declarations"
    )
    held: bool = Field(description="Whether an agency holds the goods; set by declarations")
    money: MoneyStatus = Field(description="nil also before the assessment; set by declarations")
    overdue: bool = Field(description="Whether too little was paid by the deadline; set by declarations")
    presented: bool = Field(description="Whether the goods are presented; set by declarations")
    left_unreleased: bool = Field(description="Whether the goods left before they were released; set by declarations")


class DeclarationFact(Payload):
    """The fields of every event of a declaration."""

    declaration_id: str = Field(description="The platform's id of the declaration; set by declarations")
    lrn: str = Field(description="The declarant's local reference; set by the declarant")
    ucr: str = Field(description="Unique consignment reference of the shipment")
    direction: Direction = Field(description="Import or export")
    declaration_number: str | None = Field(default=None, description="Number issued at acceptance; set by declarations")
    parties: tuple[Party, ...] = Field(description="Who takes part, by number")
    main_status: MainStatus | None = Field(
        default=None, description="The status after the event; null in old events; set by declarations"
    )
    regions: RegionSummary | None = Field(
        default=None, description="The regions after the event; null in old events; set by declarations"
    )


class InternalFact(DeclarationFact):
    """A fact that no firm is shown: for the eyes of customs and of the platform, or told by another fact."""
