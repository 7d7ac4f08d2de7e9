"""The goods are presented, released and gone; what staff must act on."""

from enum import StrEnum

from pydantic import Field

from contracts.declarations.v1.fact import DeclarationFact
from contracts.values import Payload, Timestamp


class Presented(DeclarationFact):
    """The goods stand where customs can see them."""

    presented_at: Timestamp = Field(description="When the port says they came in; set by the partner")


class PresentationWithdrawn(DeclarationFact):
    """Who reported the goods as presented took it back."""


class Guard(Payload):
    """The terms of the release guard."""

    accepted: bool = Field(description="A number was issued")
    control_done: bool = Field(description="Documents and inspection are settled")
    no_holds: bool = Field(description="No agency holds the goods")
    money_settled: bool = Field(description="Paid, or nothing to pay")
    presented: bool = Field(description="The goods are there")


class Released(DeclarationFact):
    """The goods may go."""

    released_at: Timestamp = Field(description="Set by declarations")
    guard: Guard = Field(description="The release guard as it stood; set by declarations")


class Removed(DeclarationFact):
    """Imported goods left the port."""

    removed_at: Timestamp = Field(description="When the port says so; set by the partner")


class Exited(DeclarationFact):
    """Exported goods left the customs territory."""

    exited_at: Timestamp = Field(description="When the exit office or carrier says so; set by the partner")


class Closed(DeclarationFact):
    """Nothing more is expected."""

    closed_at: Timestamp = Field(description="Set by declarations")


class CaseReason(StrEnum):
    AUDIT = "audit"
    CONTROL_REOPENED = "control_reopened"
    HOLD_AFTER_RELEASE = "hold_after_release"
    PAYMENT_REVERSED = "payment_reversed"
    PRESENTATION_WITHDRAWN = "presentation_withdrawn"
    DEPARTURE_WITHDRAWN = "departure_withdrawn"
    REMOVED_BEFORE_RELEASE = "removed_before_release"
    VALUE_UNKNOWN = "value_unknown"


class CaseOpened(DeclarationFact):
    """Something became known after release that would have kept it back, goods left without a release, what was
    accepted cannot be assessed, or an audit is due: staff must act."""

    reason: CaseReason = Field(description="Set by declarations")
    opened_at: Timestamp = Field(description="Set by declarations")


EVENTS: dict[str, type[DeclarationFact]] = {
    "trade.declarations.declaration.presented.v1": Presented,
    "trade.declarations.declaration.presentation_withdrawn.v1": PresentationWithdrawn,
    "trade.declarations.declaration.released.v1": Released,
    "trade.declarations.declaration.removed.v1": Removed,
    "trade.declarations.declaration.exited.v1": Exited,
    "trade.declarations.declaration.closed.v1": Closed,
    "trade.declarations.declaration.case_opened.v1": CaseOpened,
}
"""Event type on the wire → payload."""
