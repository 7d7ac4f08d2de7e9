"""Money: assessment, payments, and the payment deadline."""

from pydantic import Field

from contracts.declarations.v1.fact import DeclarationFact, InternalFact
from contracts.declarations.v1.regions import MoneyStatus
from contracts.values import DecimalString, Money, Payload, Timestamp
from values.payments import BankReference, PaymentReference

_PAYMENT_REFERENCE = Field(
    default=None,
    description="The reference to quote in a payment, ISO 11649; null in old events; set by declarations",
)


class AssessmentLine(Payload):
    """One tax on one goods item."""

    item: int = Field(description="Number of the goods item; set by the declarant")
    tax: str = Field(description="duty or vat; set by declarations")
    base: DecimalString = Field(description="Taxable amount, in the currency of the total; set by declarations")
    rate: DecimalString = Field(description="As a fraction: 0.13 is 13 %; from the tariff")
    formula: str = Field(description="The calculation of the amount, with its numbers; set by declarations")
    amount: DecimalString = Field(description="In the currency of the total, rounded to its minor unit")


class Assessed(DeclarationFact):
    """Duties and taxes were assessed."""

    lines: tuple[AssessmentLine, ...] = Field(description="Every tax of every goods item; set by declarations")
    total: Money = Field(description="What is to be paid; set by declarations")
    tariff: str = Field(description="Name and date of the tariff applied; set by customs")
    assessed_at: Timestamp = Field(description="Set by declarations")
    pay_by: Timestamp | None = Field(default=None, description="Payment deadline; null if nothing is due")
    payment_reference: PaymentReference | None = _PAYMENT_REFERENCE


class PaidPart(Payload):
    """The part of one payment that counts as paid."""

    publisher: str = Field(description="Code of the bank whose payment it is; set by the gateway")
    payment_reference: BankReference = Field(description="The bank's own reference of the payment; set by the bank")
    amount: DecimalString = Field(description="In the currency of the assessment; set by declarations")


class PaymentRecorded(DeclarationFact):
    """A payment for the duties was recorded."""

    status: MoneyStatus = Field(description="paid or short; set by declarations")
    paid: Money = Field(description="Total that counts as paid; set by declarations")
    parts: tuple[PaidPart, ...] = Field(
        default=(), description="Its parts by payment; empty in old events; set by declarations"
    )
    due: Money = Field(description="The assessed total; set by declarations")
    payment_reference: PaymentReference | None = _PAYMENT_REFERENCE


class PaymentReversed(DeclarationFact):
    """Less is paid than before: a bank reversed a payment or retracted its confirmation."""

    status: MoneyStatus = Field(description="paid, short or reversed; set by declarations")
    paid: Money = Field(description="Total that still counts as paid; set by declarations")
    parts: tuple[PaidPart, ...] = Field(
        default=(), description="Its parts by payment; empty in old events; set by declarations"
    )
    due: Money = Field(description="The assessed total; set by declarations")
    payment_reference: PaymentReference | None = _PAYMENT_REFERENCE


class PaymentDeadlinePassed(InternalFact):
    """The payment deadline has passed, whatever was paid."""

    pay_by: Timestamp = Field(description="The deadline; set by declarations")


class PaymentOverdue(DeclarationFact):
    """Too little was paid by the deadline."""

    pay_by: Timestamp = Field(description="The deadline; set by declarations")
    paid: Money = Field(description="Amount paid by then; set by declarations")
    due: Money = Field(description="The assessed total; set by declarations")
    daily_fee: Money = Field(description="Late payment fee per day, 0.05 % of the unpaid amount; set by declarations")
    payment_reference: PaymentReference | None = _PAYMENT_REFERENCE


class PaymentOverdueWithdrawn(DeclarationFact):
    """A payment that was in time became known only now, so the declaration was never overdue."""

    pay_by: Timestamp = Field(description="The deadline; set by declarations")


EVENTS: dict[str, type[DeclarationFact]] = {
    "trade.declarations.declaration.assessed.v1": Assessed,
    "trade.declarations.declaration.payment_recorded.v1": PaymentRecorded,
    "trade.declarations.declaration.payment_reversed.v1": PaymentReversed,
    "trade.declarations.declaration.payment_deadline_passed.v1": PaymentDeadlinePassed,
    "trade.declarations.declaration.payment_overdue.v1": PaymentOverdue,
    "trade.declarations.declaration.payment_overdue_withdrawn.v1": PaymentOverdueWithdrawn,
}
"""Event type on the wire → payload."""
