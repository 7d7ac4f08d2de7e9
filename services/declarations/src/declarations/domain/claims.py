"""Claims: what partners reported, and which claims are in force.

A claim never changes and is never dropped. A partner retracts one by a claim that names it in `retracts`;
such a claim states nothing else and is final: to undo it, the partner reports again. A retraction may
arrive before the claim that it retracts. A claim without effect here (for example, because its publisher
is not concerned) is kept with the reason, and is never in force. Everything else is computed from the set
of claims, so their order of arrival does not matter.
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
    """Why a claim has no effect on its declaration."""

    NOT_CONCERNED = "not_concerned"
    """Its publisher's grants do not match the declaration."""
    PAYMENT_CURRENCY = "payment_currency"
    """The payment is in another currency than the debt."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One actual (ACT) partner event."""

    event_id: str
    """The gateway's id of the event, unique on the platform."""
    kind: Kind
    occurred_at: datetime
    received_at: datetime
    """When the gateway received it; deadlines are measured by this time."""
    publisher: str
    publisher_role: str
    submission_id: str
    """The partner's own id of the event."""
    submission_source: str | None = None
    """The source in which that id is unique; None in events from before sources were published."""
    retracts: str | None = None
    retracts_source: str | None = None
    grants: Grants | None = None
    """None in events from before grants existed."""
    references: References | None = None
    without_effect: WithoutEffect | None = None
    effect_parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the reason's text."""
    location: Location | None = None
    documents: tuple[str, ...] = ()
    hold: str | None = None
    result: InspectionResult | None = None
    findings: str | None = None
    amount: Money | None = None
    payment_reference: BankReference | None = None
    """The bank's own reference of the payment."""


def ordered(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Claims in the order in which things happened, independent of the order of arrival."""
    return tuple(sorted(claims, key=lambda claim: (claim.occurred_at, claim.received_at, claim.event_id)))


def in_force(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims with effect that are not retractions and were not retracted by their own publisher.

    A retraction names publisher, source and id. Events from before sources were published are identified
    by publisher and id.
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
