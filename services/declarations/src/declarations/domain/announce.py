"""What the world is told when the regions change, whatever changed them: a claim, a retraction, a lane.

Told are differences, so a claim that changes nothing announces nothing, and a retraction announces
that what had been announced holds no more.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from declarations.domain.assessment.duty import daily_late_fee
from declarations.domain.declaration import Money
from declarations.domain.events import (
    CaseOpened,
    DocumentsAccepted,
    DocumentsRequested,
    Event,
    HoldLifted,
    HoldPlaced,
    InspectionCompleted,
    InspectionOrdered,
    PaymentOverdue,
    PaymentOverdueWithdrawn,
    PaymentRecorded,
    PaymentReversed,
    PresentationWithdrawn,
    Presented,
)
from declarations.domain.regions import Control, Regions, guard
from declarations.domain.state import Assessment, CaseReason, State, Status


def announce(before: State, seen: Regions, after: State, sees: Regions, now: datetime) -> Iterator[Event]:
    """What to tell about the step from one state to the next; `seen` and `sees` are their regions."""
    yield from _control(seen, sees, now)
    yield from (HoldPlaced(hold) for _, hold in sorted(sees.holds - seen.holds))
    yield from (HoldLifted(hold) for _, hold in sorted(seen.holds - sees.holds))
    if sees.presented_at is not None and seen.presented_at is None:
        yield Presented(sees.presented_at)
    if sees.presented_at is None and seen.presented_at is not None:
        yield PresentationWithdrawn()
    if after.assessment is not None:
        yield from _money(after.assessment, seen, sees)
    if sees.left_unreleased and not seen.left_unreleased:
        yield CaseOpened(CaseReason.REMOVED_BEFORE_RELEASE, now)
    if before.released_at is not None:
        yield from (CaseOpened(reason, now) for reason in _cases(before, seen, after, sees))


def _control(seen: Regions, sees: Regions, now: datetime) -> Iterator[Event]:
    if sees.documents_requested is not None and sees.documents_requested != seen.documents_requested:
        yield DocumentsRequested(sees.documents_requested)
    if sees.documents_accepted and not seen.documents_accepted:
        yield DocumentsAccepted()
    if sees.control is Control.INSPECTION_ORDERED and seen.control is not Control.INSPECTION_ORDERED:
        yield InspectionOrdered(now)
    if sees.inspection is not None and sees.inspection != seen.inspection and sees.inspection.result is not None:
        yield InspectionCompleted(sees.inspection.result, sees.inspection.findings)


def _money(assessment: Assessment, seen: Regions, sees: Regions) -> Iterator[Event]:
    nothing = Money(Decimal(0), assessment.total.currency)
    paid, paid_before = sees.paid or nothing, seen.paid or nothing
    if paid.amount > paid_before.amount:
        yield PaymentRecorded(sees.money, paid, assessment.total, assessment.payment_reference, sees.parts)
    elif paid.amount < paid_before.amount:
        yield PaymentReversed(sees.money, paid, assessment.total, assessment.payment_reference, sees.parts)
    if assessment.pay_by is None or seen.overdue == sees.overdue:
        return
    if sees.overdue:
        unpaid = max(Decimal(0), assessment.total.amount - paid.amount)
        fee = daily_late_fee(unpaid)
        yield PaymentOverdue(
            assessment.pay_by,
            sees.paid_in_time or nothing,
            assessment.total,
            Money(fee, paid.currency),
            assessment.payment_reference,
        )
    else:
        yield PaymentOverdueWithdrawn(assessment.pay_by)


def _cases(before: State, seen: Regions, after: State, sees: Regions) -> Iterator[CaseReason]:
    """Terms of the guard that held and hold no more: what is released stays released, staff must act."""
    was, is_ = guard(before, seen), guard(after, sees)
    if was.control_done and not is_.control_done:
        yield CaseReason.CONTROL_REOPENED
    if was.no_holds and not is_.no_holds:
        yield CaseReason.HOLD_AFTER_RELEASE
    if was.money_settled and not is_.money_settled:
        yield CaseReason.PAYMENT_REVERSED
    if was.presented and not is_.presented:
        yield CaseReason.PRESENTATION_WITHDRAWN
    gone = seen.gate_out_at is not None and sees.gate_out_at is None
    unsaid = seen.exit_at is not None and sees.exit_at is None
    if after.status in (Status.REMOVED, Status.EXITED, Status.CLOSED) and (gone or unsaid):
        yield CaseReason.DEPARTURE_WITHDRAWN
