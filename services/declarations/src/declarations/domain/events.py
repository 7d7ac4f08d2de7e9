"""What happened to a declaration.

Field for field the contract's facts without what every fact repeats, so that encoding is a copy.
`evolve` lives from the first group alone; the second announces what follows from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from declarations.domain.claims import InspectionResult, Kind, WithoutEffect
from declarations.domain.declaration import Declaration, Function, Identifier, Location, Money
from declarations.domain.grants import Grants
from declarations.domain.payments import Part
from declarations.domain.references import References
from declarations.domain.state import AssessmentLine, CaseReason, Lane, RuleError, RuleHit
from values.payments import BankReference, PaymentReference


class MoneyStatus(StrEnum):
    NIL = "nil"
    """Nothing is assessed, or nothing is to be paid."""
    DUE = "due"
    SHORT = "short"
    PAID = "paid"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class Guard:
    """The terms of the release guard."""

    accepted: bool
    control_done: bool
    no_holds: bool
    money_settled: bool
    presented: bool

    @property
    def holds(self) -> bool:
        return self.accepted and self.control_done and self.no_holds and self.money_settled and self.presented


# The state is made of these.


@dataclass(frozen=True, slots=True)
class Submitted:
    declaration_id: str
    version: int
    receipt_id: str
    received_at: datetime
    firm: Identifier
    function: Function
    submitted_at: datetime
    declaration: Declaration
    warnings: tuple[RuleError, ...] = ()
    """What refuses nothing, but should be looked at again."""


@dataclass(frozen=True, slots=True)
class Rejected:
    version: int
    receipt_id: str
    rejected_at: datetime
    errors: tuple[RuleError, ...]


@dataclass(frozen=True, slots=True)
class Prelodged:
    prelodged_at: datetime
    serial: str


@dataclass(frozen=True, slots=True)
class Accepted:
    number: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Routed:
    lane: Lane
    score: int
    hits: tuple[RuleHit, ...]
    inputs: Mapping[str, str]
    seed: str
    routed_at: datetime


@dataclass(frozen=True, slots=True)
class PartnerEventNoted:
    event_id: str
    kind: Kind
    occurred_at: datetime
    event_received_at: datetime
    publisher: str
    publisher_role: str
    submission_id: str
    retracts: str | None
    location: Location | None
    documents: tuple[str, ...]
    hold: str | None
    result: InspectionResult | None
    findings: str | None
    amount: Money | None
    payment_reference: BankReference | None
    submission_source: str | None = None
    retracts_source: str | None = None
    grants: Grants | None = None
    references: References | None = None
    without_effect: WithoutEffect | None = None
    effect_parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assessed:
    lines: tuple[AssessmentLine, ...]
    total: Money
    tariff: str
    assessed_at: datetime
    pay_by: datetime | None
    payment_reference: PaymentReference | None = None


@dataclass(frozen=True, slots=True)
class PaymentDeadlinePassed:
    pay_by: datetime


@dataclass(frozen=True, slots=True)
class PaymentAllocated:
    publisher: str
    bank_reference: BankReference
    amount: Money
    in_time: Decimal
    allocation: int


@dataclass(frozen=True, slots=True)
class Released:
    released_at: datetime
    guard: Guard


@dataclass(frozen=True, slots=True)
class Removed:
    removed_at: datetime


@dataclass(frozen=True, slots=True)
class Exited:
    exited_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class CaseOpened:
    reason: CaseReason
    opened_at: datetime


# These announce what follows from the claims; the state is the same without them.


@dataclass(frozen=True, slots=True)
class SubmissionRefused:
    receipt_id: str
    errors: tuple[RuleError, ...]


@dataclass(frozen=True, slots=True)
class DocumentsRequested:
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentsAccepted:
    pass


@dataclass(frozen=True, slots=True)
class InspectionOrdered:
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class InspectionCompleted:
    result: InspectionResult
    findings: str | None


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    hold: str


@dataclass(frozen=True, slots=True)
class HoldLifted:
    hold: str


@dataclass(frozen=True, slots=True)
class Presented:
    presented_at: datetime


@dataclass(frozen=True, slots=True)
class PresentationWithdrawn:
    pass


@dataclass(frozen=True, slots=True)
class PaymentRecorded:
    status: MoneyStatus
    paid: Money
    due: Money
    payment_reference: PaymentReference | None = None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentReversed:
    status: MoneyStatus
    paid: Money
    due: Money
    payment_reference: PaymentReference | None = None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentOverdue:
    pay_by: datetime
    paid: Money
    due: Money
    daily_fee: Money
    payment_reference: PaymentReference | None = None


@dataclass(frozen=True, slots=True)
class PaymentOverdueWithdrawn:
    pay_by: datetime


Changing: TypeAlias = (
    Submitted
    | Rejected
    | Prelodged
    | Accepted
    | Routed
    | PartnerEventNoted
    | Assessed
    | PaymentAllocated
    | PaymentDeadlinePassed
    | Released
    | Removed
    | Exited
    | Closed
    | CaseOpened
)
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
Event: TypeAlias = Changing | Announcing
