"""The life of a declaration, as declarations publishes it on `declarations.events.v1`. Key: the UCR.

Every fact repeats what a reader needs to act on it alone: ids, direction and parties. Folding the
facts of one declaration in their order gives its whole state, so nothing that the state needs may
be missing here. `routed` and `partner_event_noted` are for the platform's own eyes: why a lane was
chosen is never shown to the trader.
"""

from enum import StrEnum

from pydantic import Field

from contracts.declarations import settlement
from contracts.gateway.v1 import Declaration, DeclarationFunction
from contracts.grants import Grants, PartnerRole
from contracts.partners.v1 import InspectionResult
from contracts.values import (
    DecimalString,
    Direction,
    Identifier,
    Location,
    Money,
    Party,
    Payload,
    References,
    Timestamp,
    personal,
)
from values.payments import BankReference, PaymentReference


class MainStatus(StrEnum):
    """The main status of a declaration, as its life goes."""

    SUBMITTED = "submitted"
    REJECTED = "rejected"
    PRELODGED = "prelodged"
    ACCEPTED = "accepted"
    UNDER_CONTROL = "under_control"
    ASSESSED = "assessed"
    RELEASED = "released"
    REMOVED = "removed"
    EXITED = "exited"
    CLOSED = "closed"


class ControlMatter(StrEnum):
    """What control waits for."""

    DISCREPANCY = "discrepancy"
    DOCUMENTS_REQUESTED = "documents_requested"
    INSPECTION_ORDERED = "inspection_ordered"
    DOCUMENT_CHECK = "document_check"


class MoneyStatus(StrEnum):
    NIL = "nil"
    DUE = "due"
    SHORT = "short"
    PAID = "paid"
    REVERSED = "reversed"


class RegionSummary(Payload):
    """The regions beside the main status. For the platform's own eyes: what control waits for tells of the lane."""

    control: tuple[ControlMatter, ...] = Field(
        description="What control waits for, the gravest first; set by declarations"
    )
    held: bool = Field(description="Whether an agency holds the goods; set by declarations")
    money: MoneyStatus = Field(description="nil also while nothing is assessed; set by declarations")
    overdue: bool = Field(description="Whether too little had come in by the deadline; set by declarations")
    presented: bool = Field(description="Whether customs can see the goods; set by declarations")
    left_unreleased: bool = Field(
        description="Whether the goods were gone before they were released; set by declarations"
    )


class DeclarationFact(Payload):
    """What every event of a declaration says."""

    declaration_id: str = Field(description="The platform's id of the declaration; set by declarations")
    lrn: str = Field(description="The declarant's local reference; set by the declarant")
    ucr: str = Field(description="Unique consignment reference of the shipment")
    direction: Direction = Field(description="Import or export")
    declaration_number: str | None = Field(default=None, description="Number issued at acceptance; set by declarations")
    parties: tuple[Party, ...] = Field(description="Who takes part, by number")
    main_status: MainStatus | None = Field(
        default=None, description="After the event; none in events before it was told; set by declarations"
    )
    regions: RegionSummary | None = Field(
        default=None, description="After the event; none in events before they were told; set by declarations"
    )


class Lane(StrEnum):
    GREEN = "green"
    BLUE = "blue"
    YELLOW = "yellow"
    RED = "red"


class FieldError(Payload):
    """One rule that a declaration breaks. The text stands in the catalogue under `code`."""

    code: str = Field(description="Stable code of the rule, key of its text; set by declarations")
    pointer: str = Field(description="JSON pointer into the declaration; set by declarations")
    value: str | None = Field(default=None, description="The value found there; set by the declarant")
    parameters: dict[str, str] = Field(default_factory=dict, description="What the text puts in; set by declarations")


class Submitted(DeclarationFact):
    """A version was lodged; its rules and parties are still to be judged."""

    version: int = Field(description="1, and one more for every corrected version; set by declarations")
    receipt_id: str = Field(description="The gateway's receipt; set by the gateway")
    received_at: Timestamp = Field(description="When the gateway had it; set by the gateway")
    firm: Identifier = Field(description="The firm whose key lodged it; set by the gateway")
    function: DeclarationFunction = Field(description="Original or correction; set by the declarant")
    submitted_at: Timestamp = Field(description="When it was taken in; set by declarations")
    declaration: Declaration = Field(description="What was declared, whole; set by the declarant")
    warnings: tuple[FieldError, ...] = Field(
        default=(), description="What refuses nothing but should be looked at again; set by declarations"
    )


class SubmissionRefused(DeclarationFact):
    """Another submission under the reference of a declaration that is under way; that one goes on untouched."""

    receipt_id: str = Field(description="Receipt of the refused submission; set by the gateway")
    errors: tuple[FieldError, ...] = Field(description="Why; set by declarations")


class Rejected(DeclarationFact):
    """The version breaks rules, or a party may not act. A corrected version may follow."""

    version: int = Field(description="The version rejected; set by declarations")
    receipt_id: str = Field(description="Receipt of the version rejected; set by the gateway")
    rejected_at: Timestamp = Field(description="Set by declarations")
    errors: tuple[FieldError, ...] = Field(description="Every rule that is broken; set by declarations")


class Prelodged(DeclarationFact):
    """In order; the goods are not there yet."""

    prelodged_at: Timestamp = Field(description="Set by declarations")
    serial: str = Field(description="The nine digits reserved for the declaration number; set by declarations")


class Accepted(DeclarationFact):
    """Accepted under its number; the legal date fixes tariff and exchange rates."""

    number: str = Field(description="The declaration number, 18 digits; set by declarations")
    accepted_at: Timestamp = Field(description="The legal date: when declaration and goods were both there")


class RuleHit(Payload):
    rule: str = Field(description="Id of the risk rule; set by customs")
    version: int = Field(description="Version of the rule; set by customs")
    points: int = Field(description="What it added to the score; set by customs")
    lane: Lane | None = Field(default=None, description="The least lane that it makes mandatory; set by customs")


class Routed(DeclarationFact):
    """The lane, with everything needed to compute it again. Never shown to the trader."""

    lane: Lane = Field(description="Set by the risk engine")
    score: int = Field(description="Sum of the hits' points; set by the risk engine")
    hits: tuple[RuleHit, ...] = Field(description="Rules that matched; set by the risk engine")
    inputs: dict[str, str] = Field(description="Everything the rules looked at; set by the risk engine")
    seed: str = Field(description="Hex digits that decide the random selection, from the declaration id")
    routed_at: Timestamp = Field(description="Set by declarations")


class WithoutEffect(StrEnum):
    """Why a partner's event changes nothing of a declaration. Texts: `effect.<code>` in the catalogue."""

    NOT_CONCERNED = "not_concerned"
    PAYMENT_CURRENCY = "payment_currency"


class PartnerEventNoted(DeclarationFact):
    """What a partner says happened, or takes back, was noted. What follows from it is told by other events.

    An event is noted again, under the same `event_id`, where a corrected declaration or the currency of the
    assessment changes whether it counts: the last one holds.
    """

    event_id: str = Field(description="Id of the partner's event on the platform; set by the gateway")
    kind: str = Field(description="Aggregate and fact of the event's type, such as shipment.arrived")
    occurred_at: Timestamp = Field(description="When it happened; set by the partner")
    event_received_at: Timestamp = Field(description="When the gateway had it; set by the gateway")
    publisher: str = Field(description="The partner's code; set by the gateway")
    publisher_role: PartnerRole = Field(description="The partner's role; set by the gateway")
    submission_id: str = Field(description="The partner's own id of the event; set by the partner")
    submission_source: str | None = Field(default=None, description="Source in which that id is unique; set by it")
    retracts: str | None = Field(default=None, description="The partner's own id of what is taken back; set by it")
    retracts_source: str | None = Field(default=None, description="Source of what is taken back; set by the partner")
    grants: Grants | None = Field(default=None, description="What the partner may report on; set by the gateway")
    references: References | None = Field(default=None, description="What the event names; set by the partner")
    without_effect: WithoutEffect | None = Field(
        default=None, description="Why the event changes nothing; none where it counts; set by declarations"
    )
    effect_parameters: dict[str, str] = Field(
        default_factory=dict, description="What the reason's text puts in; set by declarations"
    )
    location: Location | None = Field(default=None, description="Where; set by the partner")
    documents: tuple[str, ...] = Field(default=(), description="Documents asked for; set by customs")
    hold: str | None = Field(default=None, description="Code of the hold; set by the agency")
    result: InspectionResult | None = Field(default=None, description="Set by the inspecting body")
    findings: str | None = personal(default=None, description="Set by the inspecting body")
    amount: Money | None = Field(default=None, description="Set by the bank")
    payment_reference: BankReference | None = Field(
        default=None, description="The bank's own reference; set by the bank"
    )


class DocumentsRequested(DeclarationFact):
    """Customs wants to see documents before it goes on."""

    documents: tuple[str, ...] = Field(description="Types of the documents asked for; set by customs")


class DocumentsAccepted(DeclarationFact):
    """Customs is content with the documents."""


class InspectionOrdered(DeclarationFact):
    """The goods are to be inspected."""

    ordered_at: Timestamp = Field(description="Set by declarations")


class InspectionCompleted(DeclarationFact):
    result: InspectionResult = Field(description="Set by the inspecting body")
    findings: str | None = personal(default=None, description="Set by the inspecting body")


class HoldPlaced(DeclarationFact):
    """An agency keeps the goods from being released."""

    hold: str = Field(description="Code of the hold; set by the agency")


class HoldLifted(DeclarationFact):
    hold: str = Field(description="Code of the hold that ended; set by the agency")


class Presented(DeclarationFact):
    """The goods stand where customs can see them."""

    presented_at: Timestamp = Field(description="When the port says they came in; set by the partner")


class PresentationWithdrawn(DeclarationFact):
    """Who reported the goods as presented took it back."""


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


class PaymentAllocated(DeclarationFact):
    """The account of the UCR set the declaration's share of a payment that named the UCR alone."""

    publisher: str = Field(description="Code of the bank whose payment it is; set by the gateway")
    bank_reference: BankReference = Field(description="The bank's own reference of the payment; set by the bank")
    amount: Money = Field(description="The share in all; below zero it takes back money that named the declaration")
    in_time: DecimalString = Field(description="The part that the door had by the payment deadline, same currency")
    allocation: int = Field(ge=1, description="Number of the allocation in the account; the highest holds")


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


DECLARATION_EVENTS: dict[str, type[DeclarationFact]] = {
    "trade.declarations.declaration.submitted.v1": Submitted,
    "trade.declarations.declaration.submission_refused.v1": SubmissionRefused,
    "trade.declarations.declaration.rejected.v1": Rejected,
    "trade.declarations.declaration.prelodged.v1": Prelodged,
    "trade.declarations.declaration.accepted.v1": Accepted,
    "trade.declarations.declaration.routed.v1": Routed,
    "trade.declarations.declaration.partner_event_noted.v1": PartnerEventNoted,
    "trade.declarations.declaration.documents_requested.v1": DocumentsRequested,
    "trade.declarations.declaration.documents_accepted.v1": DocumentsAccepted,
    "trade.declarations.declaration.inspection_ordered.v1": InspectionOrdered,
    "trade.declarations.declaration.inspection_completed.v1": InspectionCompleted,
    "trade.declarations.declaration.hold_placed.v1": HoldPlaced,
    "trade.declarations.declaration.hold_lifted.v1": HoldLifted,
    "trade.declarations.declaration.presented.v1": Presented,
    "trade.declarations.declaration.presentation_withdrawn.v1": PresentationWithdrawn,
    "trade.declarations.declaration.assessed.v1": Assessed,
    "trade.declarations.declaration.payment_allocated.v1": PaymentAllocated,
    "trade.declarations.declaration.payment_recorded.v1": PaymentRecorded,
    "trade.declarations.declaration.payment_reversed.v1": PaymentReversed,
    "trade.declarations.declaration.payment_deadline_passed.v1": PaymentDeadlinePassed,
    "trade.declarations.declaration.payment_overdue.v1": PaymentOverdue,
    "trade.declarations.declaration.payment_overdue_withdrawn.v1": PaymentOverdueWithdrawn,
    "trade.declarations.declaration.released.v1": Released,
    "trade.declarations.declaration.removed.v1": Removed,
    "trade.declarations.declaration.exited.v1": Exited,
    "trade.declarations.declaration.closed.v1": Closed,
    "trade.declarations.declaration.case_opened.v1": CaseOpened,
}
"""Of a declaration."""

EVENTS: dict[str, type[Payload]] = {**DECLARATION_EVENTS, **settlement.EVENTS}
"""Event type on the wire → payload."""
