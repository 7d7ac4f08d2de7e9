"""How a declaration lies: its main status, the regions beside it, the terms of its release, the cases of staff."""

from enum import StrEnum

from pydantic import Field

from contracts.values import Payload


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


class Guard(Payload):
    """The terms of the release guard."""

    accepted: bool = Field(description="A number was issued")
    control_done: bool = Field(description="Document control and inspection are complete")
    no_holds: bool = Field(description="No agency holds the goods")
    money_settled: bool = Field(description="Paid, or nothing is due")
    presented: bool = Field(description="The goods are presented")


class CaseReason(StrEnum):
    AUDIT = "audit"
    CONTROL_REOPENED = "control_reopened"
    HOLD_AFTER_RELEASE = "hold_after_release"
    PAYMENT_REVERSED = "payment_reversed"
    PRESENTATION_WITHDRAWN = "presentation_withdrawn"
    DEPARTURE_WITHDRAWN = "departure_withdrawn"
    REMOVED_BEFORE_RELEASE = "removed_before_release"
    VALUE_UNKNOWN = "value_unknown"
