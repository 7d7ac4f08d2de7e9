"""What happened to a declaration: one file a capability.

Field for field the contract's facts without what every fact repeats, so that encoding is a copy.
`evolve` lives from the first group alone; the second announces what follows from it.
"""

from typing import TypeAlias

from declarations.domain.events.control import (
    DocumentsAccepted,
    DocumentsRequested,
    HoldLifted,
    HoldPlaced,
    InspectionCompleted,
    InspectionOrdered,
    Routed,
)
from declarations.domain.events.lodging import Accepted, Prelodged, Rejected, SubmissionRefused, Submitted
from declarations.domain.events.money import (
    Assessed,
    DeadlinePassed,
    MoneyStatus,
    PaymentDeadlinePassed,
    PaymentOverdue,
    PaymentOverdueWithdrawn,
    PaymentRecorded,
    PaymentReversed,
)
from declarations.domain.events.partners import PartnerEventNoted, PaymentAllocated
from declarations.domain.events.release import (
    CaseOpened,
    Closed,
    Exited,
    PresentationWithdrawn,
    Presented,
    Released,
    Removed,
)

__all__ = [
    "Accepted",
    "Announcing",
    "Assessed",
    "CaseOpened",
    "Changing",
    "Closed",
    "DeadlinePassed",
    "DocumentsAccepted",
    "DocumentsRequested",
    "Event",
    "Exited",
    "HoldLifted",
    "HoldPlaced",
    "InspectionCompleted",
    "InspectionOrdered",
    "MoneyStatus",
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
    "Rejected",
    "Released",
    "Removed",
    "Routed",
    "SubmissionRefused",
    "Submitted",
]

Changing: TypeAlias = (
    Submitted
    | Rejected
    | Prelodged
    | Accepted
    | Routed
    | PartnerEventNoted
    | Assessed
    | PaymentAllocated
    | DeadlinePassed
    | Released
    | Removed
    | Exited
    | Closed
    | CaseOpened
)
"""The state is made of these."""

Announcing: TypeAlias = (
    SubmissionRefused
    | DocumentsRequested
    | DocumentsAccepted
    | InspectionOrdered
    | InspectionCompleted
    | HoldPlaced
    | HoldLifted
    | Presented
    | PresentationWithdrawn
    | PaymentRecorded
    | PaymentReversed
    | PaymentOverdue
    | PaymentOverdueWithdrawn
)
"""What follows from the claims; the state is the same without it."""

Event: TypeAlias = Changing | Announcing
