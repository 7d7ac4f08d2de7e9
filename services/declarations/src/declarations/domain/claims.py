"""What partners say: claims, and which of them are in force.

A claim never changes and is never dropped. A partner takes one back with a claim that names it in
`retracts`; such a claim says nothing else, and is final: who erred in it reports anew. A retraction
may arrive before what it retracts, then it waits as a mark. Because everything else is computed
from the set of claims, the order of their arrival does not matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from declarations.domain.declaration import Location, Money


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
    retracts: str | None = None
    location: Location | None = None
    documents: tuple[str, ...] = ()
    hold: str | None = None
    result: InspectionResult | None = None
    findings: str | None = None
    amount: Money | None = None
    payment_reference: str | None = None


def ordered(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Claims as things happened, whatever order they were read in."""
    return tuple(sorted(claims, key=lambda claim: (claim.occurred_at, claim.received_at, claim.event_id)))


def in_force(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims that say something and were not taken back by their own publisher."""
    all_ = tuple(claims)
    taken_back = {(claim.publisher, claim.retracts) for claim in all_ if claim.retracts is not None}
    return tuple(
        claim for claim in all_ if claim.retracts is None and (claim.publisher, claim.submission_id) not in taken_back
    )
