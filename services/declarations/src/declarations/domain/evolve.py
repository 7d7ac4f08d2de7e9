"""What each event makes of the state. Nothing is decided here, so that a lost database can be folded again."""

from dataclasses import replace
from typing import assert_never

from declarations.domain.claims import Claim, ordered
from declarations.domain.events import (
    Accepted,
    Announcing,
    Assessed,
    CaseOpened,
    Changing,
    Closed,
    Event,
    Exited,
    PartnerEventNoted,
    PaymentDeadlinePassed,
    Prelodged,
    Rejected,
    Released,
    Removed,
    Routed,
    Submitted,
)
from declarations.domain.state import Assessment, Routing, State, Status


class EventWithoutDeclaration(Exception):
    """An event other than the first lodging came first."""


def evolve(state: State | None, event: Event) -> State:
    """The state after an event.

    Raises:
        EventWithoutDeclaration: there is no state yet and the event does not make one.
    """
    if isinstance(event, Submitted):
        return _submitted(state, event)
    if state is None:
        raise EventWithoutDeclaration(type(event).__name__)
    if isinstance(event, Announcing):
        return state
    return _changed(state, event)


def _submitted(state: State | None, event: Submitted) -> State:
    """A fresh version; what partners said before stays."""
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
                state, status=Status.ACCEPTED, number=event.number, accepted_at=event.accepted_at, try_after=None
            )
        case Routed():
            routing = Routing(event.lane, event.score, event.hits, event.inputs, event.seed)
            return replace(state, status=Status.UNDER_CONTROL, routing=routing)
        case PartnerEventNoted():
            return replace(state, claims=ordered((*state.claims, claim_of(event))))
        case Assessed():
            assessment = Assessment(event.lines, event.total, event.tariff, event.assessed_at, event.pay_by)
            return replace(state, status=Status.ASSESSED, assessment=assessment)
        case PaymentDeadlinePassed():
            return replace(state, deadline_passed=True)
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


def claim_of(event: PartnerEventNoted) -> Claim:
    """The claim that an event carries."""
    return Claim(
        event_id=event.event_id,
        kind=event.kind,
        occurred_at=event.occurred_at,
        received_at=event.event_received_at,
        publisher=event.publisher,
        publisher_role=event.publisher_role,
        submission_id=event.submission_id,
        retracts=event.retracts,
        location=event.location,
        documents=event.documents,
        hold=event.hold,
        result=event.result,
        findings=event.findings,
        amount=event.amount,
        payment_reference=event.payment_reference,
    )


def noted(claim: Claim) -> PartnerEventNoted:
    """The event that carries a claim."""
    return PartnerEventNoted(
        event_id=claim.event_id,
        kind=claim.kind,
        occurred_at=claim.occurred_at,
        event_received_at=claim.received_at,
        publisher=claim.publisher,
        publisher_role=claim.publisher_role,
        submission_id=claim.submission_id,
        retracts=claim.retracts,
        location=claim.location,
        documents=claim.documents,
        hold=claim.hold,
        result=claim.result,
        findings=claim.findings,
        amount=claim.amount,
        payment_reference=claim.payment_reference,
    )
