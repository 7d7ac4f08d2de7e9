"""Events of money: assessments, payments and the payment deadline."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from declarations.domain.declaration import Money
from declarations.domain.payments import Part
from declarations.domain.state import AssessmentLine
from values.payments import PaymentReference


class MoneyStatus(StrEnum):
    NIL = "nil"
    """Nothing is assessed, or the assessment is zero."""
    DUE = "due"
    SHORT = "short"
    PAID = "paid"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class Assessed:
    lines: tuple[AssessmentLine, ...]
    total: Money
    tariff: str
    assessed_at: datetime
    pay_by: datetime | None
    payment_reference: PaymentReference | None = None


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
