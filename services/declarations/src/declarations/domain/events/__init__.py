"""The events of a declaration, one file per capability.

Their fields are those of the contract's facts without the common ones, so encoding is a copy. `evolve`
uses only the first group; the second announces what follows from the claims.
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
from declarations.domain.events.deadline import DeadlinePassed
from declarations.domain.events.lodging import Accepted, Prelodged, Rejected, SubmissionRefused, Submitted
from declarations.domain.events.money import (
    Assessed,
    MoneyStatus,
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
"""Events that change the state."""

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
"""Events that announce what follows from the claims; they do not change the state."""

Event: TypeAlias = Changing | Announcing
