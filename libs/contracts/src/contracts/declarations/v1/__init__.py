"""The life of a declaration, published by declarations on `declarations.events.v1`. Key: the UCR.

Every event repeats the ids, direction and parties, so that readers can act on it alone. Folding the events of one
declaration in order gives its whole state, so they must contain everything that the state needs. `routed` and
`partner_event_noted` are internal to the platform: the reasons for a lane are never shown to the trader.
"""

from contracts.declarations import settlement
from contracts.declarations.v1 import control, lodging, money, partners, release
from contracts.declarations.v1.control import (
    DocumentsAccepted,
    DocumentsRequested,
    HoldLifted,
    HoldPlaced,
    InspectionCompleted,
    InspectionOrdered,
    Lane,
    Routed,
    RuleHit,
)
from contracts.declarations.v1.fact import DeclarationFact, InternalFact
from contracts.declarations.v1.lodging import Accepted, FieldError, Prelodged, Rejected, SubmissionRefused, Submitted
from contracts.declarations.v1.money import (
    Assessed,
    AssessmentLine,
    PaidPart,
    PaymentDeadlinePassed,
    PaymentOverdue,
    PaymentOverdueWithdrawn,
    PaymentRecorded,
    PaymentReversed,
)
from contracts.declarations.v1.partners import PartnerEventNoted, PaymentAllocated, WithoutEffect
from contracts.declarations.v1.regions import CaseReason, ControlMatter, Guard, MainStatus, MoneyStatus, RegionSummary
from contracts.declarations.v1.release import (
    CaseOpened,
    Closed,
    Exited,
    PresentationWithdrawn,
    Presented,
    Released,
    Removed,
)
from contracts.values import Payload

__all__ = [
    "DECLARATION_EVENTS",
    "EVENTS",
    "Accepted",
    "Assessed",
    "AssessmentLine",
    "CaseOpened",
    "CaseReason",
    "Closed",
    "ControlMatter",
    "DeclarationFact",
    "DocumentsAccepted",
    "DocumentsRequested",
    "Exited",
    "FieldError",
    "Guard",
    "HoldLifted",
    "HoldPlaced",
    "InspectionCompleted",
    "InspectionOrdered",
    "InternalFact",
    "Lane",
    "MainStatus",
    "MoneyStatus",
    "PaidPart",
    "PartnerEventNoted",
    "PaymentAllocated",
    "PaymentDeadlinePassed",
    "PaymentOverdue",
    "PaymentOverdueWithdrawn",
    "PaymentRecorded",
    "PaymentReversed",
    "Prelodged",
    "PresentationWithdrawn",
    "Presented",
    "RegionSummary",
    "Rejected",
    "Released",
    "Removed",
    "Routed",
    "RuleHit",
    "SubmissionRefused",
    "Submitted",
    "WithoutEffect",
]

DECLARATION_EVENTS: dict[str, type[DeclarationFact]] = {
    **lodging.EVENTS,
    **control.EVENTS,
    **partners.EVENTS,
    **money.EVENTS,
    **release.EVENTS,
}
"""Of a declaration."""

EVENTS: dict[str, type[Payload]] = {**DECLARATION_EVENTS, **settlement.EVENTS}
"""Event type on the wire → payload."""
