"""The regions beside the main state, computed from the claims in force: control, holds, money, presence.

Computed, never stored: a retraction or a late claim changes them without undoing anything, and the
order in which claims were read cannot matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from declarations.domain import payments
from declarations.domain.claims import Claim, InspectionResult, Kind, in_force
from declarations.domain.declaration import Direction, Money
from declarations.domain.events import Guard, MoneyStatus
from declarations.domain.state import Lane, State
from values.moments import CLOCK_SKEW

ARRIVAL = (Kind.ARRIVED, Kind.GATE_IN)
"""Either says that the goods are there: goods inside the port's gate have arrived, whoever forgot to tell."""

INFORMATIVE = (Kind.DEPARTED, Kind.BORDER_CROSSED)
"""Kept and shown, and read by no region."""


class Control(StrEnum):
    NONE = "none"
    DOCUMENT_CHECK = "document_check"
    DOCUMENTS_REQUESTED = "documents_requested"
    INSPECTION_ORDERED = "inspection_ordered"
    DISCREPANCY = "discrepancy"
    CONFORM = "conform"


class Presence(StrEnum):
    NOT_PRESENTED = "not_presented"
    PRESENTED = "presented"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Regions:
    control: Control
    documents_requested: tuple[str, ...] | None
    """Types asked for and not yet accepted; None where nothing is outstanding."""
    documents_accepted: bool
    inspection: Claim | None
    """The latest result."""
    holds: frozenset[tuple[str, str]]
    """(agency, code): only the agency that placed a hold lifts it."""
    money: MoneyStatus
    paid: Money | None
    """None before assessment."""
    parts: tuple[payments.Part, ...]
    """What it is made of, by payment."""
    paid_in_time: Money | None
    """What the door had by the deadline."""
    overdue: bool
    arrived_at: datetime | None
    """When the door first heard that the goods are there."""
    presented_at: datetime | None
    gate_out_at: datetime | None
    exit_at: datetime | None
    left_at: datetime | None
    """When the goods were where only released ones may be: an import behind the gate, an export abroad."""
    left_unreleased: bool
    """They were there before they were released, or are and nothing has released them yet: see `_before_release`."""

    @property
    def presence(self) -> Presence:
        if self.gate_out_at is not None:
            return Presence.REMOVED
        return Presence.NOT_PRESENTED if self.presented_at is None else Presence.PRESENTED


def regions(state: State) -> Regions:
    """The regions of a declaration."""
    claims = in_force(state.claims)
    requested, accepted = _documents(claims)
    inspection = _last(claims, Kind.INSPECTION_COMPLETED)
    lane = state.routing.lane if state.routing else None
    total = state.assessment.total if state.assessment else None
    pay_by = state.assessment.pay_by if state.assessment else None
    parts = payments.parts(claims, state.shares, total.currency) if total else []
    paid = payments.total(parts)
    in_time = payments.total(payments.parts(claims, state.shares, total.currency, by=pay_by)) if total else Decimal(0)
    gate_in = _first(claims, Kind.GATE_IN)
    gate_out = _first(claims, Kind.GATE_OUT)
    exit_ = _first(claims, Kind.EXIT_CONFIRMED)
    leaving = departures(state)
    return Regions(
        control=_control(lane, requested, accepted, inspection),
        documents_requested=requested,
        documents_accepted=accepted,
        inspection=inspection,
        holds=_holds(claims),
        money=_money(total, paid, claims, state.shares),
        parts=tuple(parts),
        paid=Money(paid, total.currency) if total else None,
        paid_in_time=Money(in_time, total.currency) if total else None,
        overdue=state.deadline_passed and total is not None and in_time < total.amount,
        arrived_at=min((claim.received_at for claim in claims if claim.kind in ARRIVAL), default=None),
        presented_at=gate_in.occurred_at if gate_in else None,
        gate_out_at=gate_out.occurred_at if gate_out else None,
        exit_at=exit_.occurred_at if exit_ else None,
        left_at=leaving[0].occurred_at if leaving else None,
        left_unreleased=any(_before_release(each, state.released_at) for each in leaving),
    )


def departures(state: State) -> tuple[Claim, ...]:
    """The claims in force that the goods are where only released ones may be, as they happened."""
    kind = Kind.GATE_OUT if state.declaration.direction is Direction.IMPORT else Kind.EXIT_CONFIRMED
    return tuple(claim for claim in in_force(state.claims) if claim.kind is kind)


def guard(state: State, seen: Regions) -> Guard:
    """The terms of release as they stand."""
    return Guard(
        accepted=state.number is not None,
        control_done=state.routing is not None and seen.control in (Control.NONE, Control.CONFORM),
        no_holds=not seen.holds,
        money_settled=state.assessment is not None and seen.money in (MoneyStatus.NIL, MoneyStatus.PAID),
        presented=seen.presented_at is not None,
    )


def _before_release(departure: Claim, released_at: datetime | None) -> bool:
    """Whether goods left before they were released, though partners' clocks and ours differ.

    What the door had by the release had happened by then, whatever its stamp says. What came after it
    happened before it only where its stamp says so by more than a partner's clock may be wrong by.
    """
    if released_at is None or departure.received_at <= released_at:
        return True
    return departure.occurred_at < released_at - CLOCK_SKEW


def _first(claims: Iterable[Claim], kind: Kind) -> Claim | None:
    return next((claim for claim in claims if claim.kind is kind), None)


def _last(claims: tuple[Claim, ...], kind: Kind) -> Claim | None:
    return _first(reversed(claims), kind)


def _documents(claims: Iterable[Claim]) -> tuple[tuple[str, ...] | None, bool]:
    """What is outstanding, and whether customs was content in the end."""
    outstanding: tuple[str, ...] | None = None
    accepted = False
    for claim in claims:
        if claim.kind is Kind.DOCUMENTS_REQUESTED:
            outstanding, accepted = claim.documents, False
        elif claim.kind is Kind.DOCUMENTS_ACCEPTED:
            outstanding, accepted = None, True
    return outstanding, accepted


def _control(lane: Lane | None, requested: tuple[str, ...] | None, accepted: bool, inspection: Claim | None) -> Control:
    """The one thing that control waits for, the gravest first."""
    if inspection is not None and inspection.result is InspectionResult.DISCREPANCY:
        return Control.DISCREPANCY
    if requested is not None:
        return Control.DOCUMENTS_REQUESTED
    if lane is Lane.RED and inspection is None:
        return Control.INSPECTION_ORDERED
    if lane is Lane.YELLOW and not accepted:
        return Control.DOCUMENT_CHECK
    return Control.CONFORM if accepted or inspection is not None else Control.NONE


def _holds(claims: Iterable[Claim]) -> frozenset[tuple[str, str]]:
    holds = set[tuple[str, str]]()
    for claim in claims:
        key = (claim.publisher, claim.hold or "")
        if claim.kind is Kind.HOLD_PLACED:
            holds.add(key)
        elif claim.kind is Kind.HOLD_LIFTED:
            holds.discard(key)
    return frozenset(holds)


def _money(
    total: Money | None, paid: Decimal, claims: Iterable[Claim], shares: Iterable[payments.Share]
) -> MoneyStatus:
    if total is None or total.amount == 0:
        return MoneyStatus.NIL
    if paid >= total.amount:
        return MoneyStatus.PAID
    if paid > 0:
        return MoneyStatus.SHORT
    taken_back = any(claim.kind is Kind.PAYMENT_REVERSED for claim in claims) or any(
        share.amount.currency == total.currency for share in shares
    )
    return MoneyStatus.REVERSED if taken_back else MoneyStatus.DUE
