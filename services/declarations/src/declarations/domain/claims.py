"""What partners say: claims, and which of them are in force.

A claim never changes and is never dropped. A partner takes one back with a claim that names it in
`retracts`; such a claim says nothing else, and is final: who erred in it reports anew. A retraction
may arrive before what it retracts, then it waits as a mark. A claim that has no effect here (its
publisher is not concerned, say) is kept with the reason, and is never in force. Because everything
else is computed from the set of claims, the order of their arrival does not matter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from declarations.domain.declaration import Location, Money
from declarations.domain.grants import Grants
from declarations.domain.references import References
from values.payments import BankReference


class Kind(StrEnum):
    """Aggregate and fact of a partner event's type."""

    ARRIVED = "shipment.arrived"
    DEPARTED = "shipment.departed"
    GATE_IN = "shipment.gate_in"
    GATE_OUT = "shipment.gate_out"
    BORDER_CROSSED = "shipment.border_crossed"
    DOCUMENTS_REQUESTED = "control.documents_requested"
    DOCUMENTS_ACCEPTED = "control.documents_accepted"
    INSPECTION_COMPLETED = "control.inspection_completed"
    HOLD_PLACED = "hold.placed"
    HOLD_LIFTED = "hold.lifted"
    PAYMENT_CONFIRMED = "payment.confirmed"
    PAYMENT_REVERSED = "payment.reversed"
    EXIT_CONFIRMED = "exit.confirmed"


class InspectionResult(StrEnum):
    CONFORM = "conform"
    DISCREPANCY = "discrepancy"


class WithoutEffect(StrEnum):
    """Why a claim changes nothing of the declaration that it is about."""

    NOT_CONCERNED = "not_concerned"
    """Its publisher's grants and the declaration do not meet."""
    PAYMENT_CURRENCY = "payment_currency"
    """Another currency was paid than is owed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One actual (ACT) partner event."""

    event_id: str
    """The gateway's id, unique on the platform."""
    kind: Kind
    occurred_at: datetime
    received_at: datetime
    """At the door; deadlines are judged by it."""
    publisher: str
    publisher_role: str
    submission_id: str
    """The partner's own id of the event."""
    submission_source: str | None = None
    """In which that id is unique; None of events that came before sources were passed on."""
    retracts: str | None = None
    retracts_source: str | None = None
    grants: Grants | None = None
    """None of events that came before grants."""
    references: References | None = None
    without_effect: WithoutEffect | None = None
    effect_parameters: Mapping[str, str] = field(default_factory=dict)
    """What the reason's text puts in."""
    location: Location | None = None
    documents: tuple[str, ...] = ()
    hold: str | None = None
    result: InspectionResult | None = None
    findings: str | None = None
    amount: Money | None = None
    payment_reference: BankReference | None = None
    """The bank's own."""


def ordered(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Claims as things happened, whatever order they were read in."""
    return tuple(sorted(claims, key=lambda claim: (claim.occurred_at, claim.received_at, claim.event_id)))


def in_force(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims that have an effect, say something, and were not taken back by their own publisher.

    A retraction names publisher, source and id. An event of before sources were passed on has none;
    it is known by publisher and id alone.
    """
    effective = tuple(claim for claim in claims if claim.without_effect is None)
    taken_back: dict[tuple[str, str], set[str | None]] = {}
    for claim in effective:
        if claim.retracts is not None:
            source = claim.retracts_source or claim.submission_source
            taken_back.setdefault((claim.publisher, claim.retracts), set()).add(source)

    def stands(claim: Claim) -> bool:
        sources = taken_back.get((claim.publisher, claim.submission_id), set())
        return not sources or (claim.submission_source is not None and not sources & {claim.submission_source, None})

    return tuple(claim for claim in effective if claim.retracts is None and stands(claim))
