"""Money: the amount paid of the assessed total, and the amount paid by the deadline."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from declarations.domain import payments
from declarations.domain.assessment.duty import daily_late_fee
from declarations.domain.claims import Claim, Kind
from declarations.domain.deadlines import PAYMENT
from declarations.domain.declaration import Money as Amount
from declarations.domain.events import (
    Event,
    MoneyStatus,
    PaymentOverdue,
    PaymentOverdueWithdrawn,
    PaymentRecorded,
    PaymentReversed,
)
from declarations.domain.regions.region import Region, Regions, Term
from declarations.domain.state import Assessment, CaseReason, State


@dataclass(frozen=True, slots=True)
class Money:
    status: MoneyStatus
    paid: Amount | None = None
    """None before assessment."""
    parts: tuple[payments.Part, ...] = ()
    """The parts of `paid`, by payment."""
    paid_in_time: Amount | None = None
    """The amount that the gateway had received by the deadline."""
    overdue: bool = False


def of(claims: tuple[Claim, ...], state: State) -> Money:
    if state.assessment is None:
        return Money(MoneyStatus.NIL)
    total, pay_by = state.assessment.total, state.assessment.pay_by
    parts = payments.parts(claims, state.shares, total.currency)
    paid = payments.total(parts)
    in_time = payments.total(payments.parts(claims, state.shares, total.currency, by=pay_by))
    return Money(
        status=_status(total, paid, claims, state.shares),
        paid=Amount(paid, total.currency),
        parts=tuple(parts),
        paid_in_time=Amount(in_time, total.currency),
        overdue=PAYMENT.name in state.deadlines_passed and in_time < total.amount,
    )


def announce(before: Regions, after: Regions, _now: datetime) -> Iterator[Event]:
    if after.state.assessment is not None:
        yield from _payment_events(after.state.assessment, before[MONEY], after[MONEY])


def _payment_events(assessment: Assessment, was: Money, is_: Money) -> Iterator[Event]:
    nothing = Amount(Decimal(0), assessment.total.currency)
    paid, paid_before = is_.paid or nothing, was.paid or nothing
    if paid.amount > paid_before.amount:
        yield PaymentRecorded(is_.status, paid, assessment.total, assessment.payment_reference, is_.parts)
    elif paid.amount < paid_before.amount:
        yield PaymentReversed(is_.status, paid, assessment.total, assessment.payment_reference, is_.parts)
    if assessment.pay_by is None or was.overdue == is_.overdue:
        return
    if is_.overdue:
        unpaid = max(Decimal(0), assessment.total.amount - paid.amount)
        fee = daily_late_fee(unpaid)
        yield PaymentOverdue(
            assessment.pay_by,
            is_.paid_in_time or nothing,
            assessment.total,
            Amount(fee, paid.currency),
            assessment.payment_reference,
        )
    else:
        yield PaymentOverdueWithdrawn(assessment.pay_by)


def _settled(seen: Regions) -> bool:
    return seen.state.assessment is not None and seen[MONEY].status in (MoneyStatus.NIL, MoneyStatus.PAID)


def _status(total: Amount, paid: Decimal, claims: Iterable[Claim], shares: Iterable[payments.Share]) -> MoneyStatus:
    if total.amount == 0:
        return MoneyStatus.NIL
    if paid >= total.amount:
        return MoneyStatus.PAID
    if paid > 0:
        return MoneyStatus.SHORT
    taken_back = any(claim.kind is Kind.PAYMENT_REVERSED for claim in claims) or any(
        share.amount.currency == total.currency for share in shares
    )
    return MoneyStatus.REVERSED if taken_back else MoneyStatus.DUE


def _summary(money: Money) -> Mapping[str, Any]:
    return {"money": money.status, "overdue": money.overdue}


MONEY: Region[Money] = Region(
    "money", of, announce, _summary, Term("money_settled", _settled, CaseReason.PAYMENT_REVERSED)
)
