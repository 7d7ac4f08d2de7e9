"""The goods are presented, released and gone; what staff must act on."""

from pydantic import Field

from contracts.declarations.v1.fact import DeclarationFact, InternalFact
from contracts.declarations.v1.regions import CaseReason, Guard
from contracts.values import Timestamp


class Presented(DeclarationFact):
    """The goods are presented to customs."""

    presented_at: Timestamp = Field(description="When the goods came in, as the port reports; set by the partner")


class PresentationWithdrawn(DeclarationFact):
    """The partner that reported the goods as presented retracted its report."""


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
