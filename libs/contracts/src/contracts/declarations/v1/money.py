"""What is assessed, what comes in of it, and whether it comes in time."""

from pydantic import Field

from contracts.declarations.v1.fact import DeclarationFact, MoneyStatus
from contracts.values import DecimalString, Money, Payload, Timestamp
from values.payments import BankReference, PaymentReference

_PAYMENT_REFERENCE = Field(
    default=None,
    description="What a payment for the assessment names, ISO 11649; none before references; set by declarations",
)


class AssessmentLine(Payload):
    """One tax on one goods item."""

    item: int = Field(description="Number of the goods item; set by the declarant")
    tax: str = Field(description="duty or vat; set by declarations")
    base: DecimalString = Field(description="What the rate applies to, in the currency of the total")
    rate: DecimalString = Field(description="As a fraction: 0.13 is 13 %; from the tariff")
    formula: str = Field(description="How the amount came about, with the numbers put in; set by declarations")
    amount: DecimalString = Field(description="In the currency of the total, rounded to its minor unit")


class Assessed(DeclarationFact):
    """Duties and taxes are fixed."""

    lines: tuple[AssessmentLine, ...] = Field(description="Every tax of every goods item; set by declarations")
    total: Money = Field(description="What is to be paid; set by declarations")
    tariff: str = Field(description="Name and date of the tariff applied; set by customs")
    assessed_at: Timestamp = Field(description="Set by declarations")
    pay_by: Timestamp | None = Field(default=None, description="Last moment for payment; none where nothing is due")
    payment_reference: PaymentReference | None = _PAYMENT_REFERENCE


class PaidPart(Payload):
    """What counts of one payment."""

    publisher: str = Field(description="Code of the bank whose payment it is; set by the gateway")
    payment_reference: BankReference = Field(description="The bank's own reference of the payment; set by the bank")
    amount: DecimalString = Field(description="In the currency of the assessment; set by declarations")


class PaymentRecorded(DeclarationFact):
    """Money for the duties has come in."""

    status: MoneyStatus = Field(description="paid or short; set by declarations")
    paid: Money = Field(description="What counts as paid, in all; set by declarations")
    parts: tuple[PaidPart, ...] = Field(
        default=(), description="What it is made of, by payment; empty in events before parts; set by declarations"
    )
    due: Money = Field(description="The assessed total; set by declarations")
    payment_reference: PaymentReference | None = _PAYMENT_REFERENCE


class PaymentReversed(DeclarationFact):
    """Less is paid than before: a bank took a payment or its confirmation back."""

    status: MoneyStatus = Field(description="paid, short or reversed; set by declarations")
    paid: Money = Field(description="What still counts as paid, in all; set by declarations")
    parts: tuple[PaidPart, ...] = Field(
        default=(), description="What it is made of, by payment; empty in events before parts; set by declarations"
    )
    due: Money = Field(description="The assessed total; set by declarations")
    payment_reference: PaymentReference | None = _PAYMENT_REFERENCE


class PaymentDeadlinePassed(DeclarationFact):
    """The last moment for payment is over, whatever was paid."""

    pay_by: Timestamp = Field(description="The deadline; set by declarations")


class PaymentOverdue(DeclarationFact):
    """Too little had come in when the deadline passed."""

    pay_by: Timestamp = Field(description="The deadline; set by declarations")
    paid: Money = Field(description="What had come in by then; set by declarations")
    due: Money = Field(description="The assessed total; set by declarations")
    daily_fee: Money = Field(description="Late payment fee for each day, 0.05 % of what is unpaid; set by declarations")
    payment_reference: PaymentReference | None = _PAYMENT_REFERENCE


class PaymentOverdueWithdrawn(DeclarationFact):
    """A payment that was in time became known only now: it was never overdue."""

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
