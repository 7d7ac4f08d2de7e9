"""Events that note a partner's event, or a share of a payment that the account of the UCR allocated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from declarations.domain.claims import InspectionResult, Kind, WithoutEffect
from declarations.domain.declaration import Location, Money
from declarations.domain.grants import Grants
from declarations.domain.references import References
from values.payments import BankReference


@dataclass(frozen=True, slots=True)
class PartnerEventNoted:
    event_id: str
    kind: Kind
    occurred_at: datetime
    event_received_at: datetime
    publisher: str
    publisher_role: str
    submission_id: str
    retracts: str | None
    location: Location | None
    documents: tuple[str, ...]
    hold: str | None
    result: InspectionResult | None
    findings: str | None
    amount: Money | None
    payment_reference: BankReference | None
    submission_source: str | None = None
    retracts_source: str | None = None
    grants: Grants | None = None
    references: References | None = None
    without_effect: WithoutEffect | None = None
    effect_parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaymentAllocated:
    publisher: str
    bank_reference: BankReference
    amount: Money
    in_time: Decimal
    allocation: int
