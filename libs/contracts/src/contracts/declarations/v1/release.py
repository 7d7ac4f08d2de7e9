"""The goods are presented, released and gone; what staff must act on."""

from enum import StrEnum

from pydantic import Field

from contracts.declarations.v1.fact import DeclarationFact, InternalFact
from contracts.values import Payload, Timestamp


class Presented(DeclarationFact):
    """The goods are presented to customs."""

    presented_at: Timestamp = Field(description="When the goods came in, as the port reports; set by the partner")


class PresentationWithdrawn(DeclarationFact):
    """The partner that reported the goods as presented retracted its report."""


class Guard(Payload):
    """The terms of the release guard."""

    accepted: bool = Field(description="A number was issued")
    control_done: bool = Field(description="Document control and inspection are complete")
    no_holds: bool = Field(description="No agency holds the goods")
    money_settled: bool = Field(description="Paid, or nothing is due")
    presented: bool = Field(description="The goods are presented")


class Released(DeclarationFact):
    """The goods were released."""

    released_at: Timestamp = Field(description="Set by declarations")
    guard: Guard = Field(description="The terms of the release guard at that moment; set by declarations")


class Removed(DeclarationFact):
    """Imported goods left the port."""

    removed_at: Timestamp = Field(description="When the goods left, as the port reports; set by the partner")


class Exited(DeclarationFact):
    """Exported goods left the customs territory."""

    exited_at: Timestamp = Field(
        description="When the goods left, as exit office or carrier reports; set by the partner"
    )


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


class CaseOpened(InternalFact):
    """Staff must act: a fact became known after release that would have prevented it, goods left without a release, an
    accepted declaration cannot be assessed, or an audit is due."""

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
