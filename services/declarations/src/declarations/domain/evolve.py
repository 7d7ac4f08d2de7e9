"""The state after each event. Nothing is decided here, so that a lost database can be rebuilt by folding."""

from dataclasses import fields, replace
from typing import assert_never

from declarations.domain.claims import Claim, ordered
from declarations.domain.events import (
    Accepted,
    Announcing,
    Assessed,
    CaseOpened,
    Changing,
    Closed,
    DeadlinePassed,
    Event,
    Exited,
    PartnerEventNoted,
    PaymentAllocated,
    Prelodged,
    Rejected,
    Released,
    Removed,
    Routed,
    Submitted,
)
from declarations.domain.payments import Share
from declarations.domain.state import Assessment, Routing, State, Status
from values.references import DeclarationNumber


class EventWithoutDeclaration(Exception):
    """The first event is not `Submitted`."""


def evolve(state: State | None, event: Event) -> State:
    """The state after an event.

    Raises:
        EventWithoutDeclaration: there is no state yet and the event does not create one.
    """
    if isinstance(event, Submitted):
        return _submitted(state, event)
    if state is None:
        raise EventWithoutDeclaration(type(event).__name__)
    if isinstance(event, Announcing):
        return state
    return _changed(state, event)


def _submitted(state: State | None, event: Submitted) -> State:
    """A new version; claims of partners and the cases that they opened stay."""
    return State(
        id=event.declaration_id,
        version=event.version,
        status=Status.SUBMITTED,
        declaration=event.declaration,
        receipt_id=event.receipt_id,
        received_at=event.received_at,
        firm=event.firm,
        try_after=event.submitted_at,
        claims=state.claims if state is not None else (),
        cases=state.cases if state is not None else (),
        shares=state.shares if state is not None else (),
    )


def _changed(state: State, event: Changing) -> State:  # noqa: PLR0912 - one line per event
    match event:
        case Submitted():
            return _submitted(state, event)
        case Rejected():
            return replace(state, status=Status.REJECTED, errors=event.errors, try_after=None)
        case Prelodged():
            return replace(state, status=Status.PRELODGED, serial=event.serial, try_after=None)
        case Accepted():
            return replace(
                state,
                status=Status.ACCEPTED,
                number=DeclarationNumber(event.number),
                accepted_at=event.accepted_at,
                try_after=None,
            )
        case Routed():
            routing = Routing(event.lane, event.score, event.hits, event.inputs, event.seed)
            return replace(state, status=Status.UNDER_CONTROL, routing=routing)
        case PartnerEventNoted():
            return replace(state, claims=_with(state.claims, claim_of(event)))
        case Assessed():
            return replace(state, status=Status.ASSESSED, assessment=_assessment(event))
        case PaymentAllocated():
            return replace(state, shares=with_share(state.shares, event))
        case DeadlinePassed():
            return replace(state, deadlines_passed=state.deadlines_passed | {event.deadline})
        case Released():
            return replace(state, status=Status.RELEASED, released_at=event.released_at)
        case Removed():
            return replace(state, status=Status.REMOVED)
        case Exited():
            return replace(state, status=Status.EXITED)
        case Closed():
            return replace(state, status=Status.CLOSED)
        case CaseOpened():
            return replace(state, cases=(*state.cases, event.reason))
        case _:
            assert_never(event)


def _assessment(event: Assessed) -> Assessment:
    return Assessment(event.lines, event.total, event.tariff, event.assessed_at, event.pay_by, event.payment_reference)


def claim_of(event: PartnerEventNoted) -> Claim:
    """The claim of an event."""
    return Claim(received_at=event.event_received_at, **{name: getattr(event, name) for name in _SAME})


def noted(claim: Claim) -> PartnerEventNoted:
    """The event that notes a claim."""
    return PartnerEventNoted(event_received_at=claim.received_at, **{name: getattr(claim, name) for name in _SAME})


def with_share(shares: tuple[Share, ...], event: PaymentAllocated) -> tuple[Share, ...]:
    """The shares with one of them set."""
    share = Share(event.publisher, event.bank_reference, event.amount, event.in_time, event.allocation)
    others = (each for each in shares if (each.key, each.amount.currency) != (share.key, share.amount.currency))
    return tuple(sorted((*others, share), key=lambda each: (each.key, each.amount.currency)))


def _with(claims: tuple[Claim, ...], claim: Claim) -> tuple[Claim, ...]:
    """The claims with one added, replacing an earlier note of the same claim."""
    return ordered((*(each for each in claims if each.event_id != claim.event_id), claim))


_SAME = tuple(field.name for field in fields(Claim) if field.name != "received_at")
"""Fields with the same name in a claim and in the event that notes it."""
