"""The state of one declaration: what `evolve` makes of its events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from declarations.domain.claims import Claim
from declarations.domain.declaration import Declaration, Identifier, Money
from declarations.domain.payments import Share
from values.payments import PaymentReference
from values.references import DeclarationNumber


class Status(StrEnum):
    """The main state, in the order of a life."""

    SUBMITTED = "submitted"
    """Its rules hold; the registry has not answered for its parties yet."""
    REJECTED = "rejected"
    PRELODGED = "prelodged"
    """In order, the goods are not there yet."""
    ACCEPTED = "accepted"
    UNDER_CONTROL = "under_control"
    ASSESSED = "assessed"
    RELEASED = "released"
    REMOVED = "removed"
    EXITED = "exited"
    CLOSED = "closed"

    def is_before(self, other: "Status") -> bool:
        """Whether a life comes to this state earlier than to another."""
        order = tuple(Status)
        return order.index(self) < order.index(other)


class Lane(StrEnum):
    """How deep customs looks before release, the shallowest first."""

    GREEN = "green"
    BLUE = "blue"
    """Release, then audit."""
    YELLOW = "yellow"
    """Documents."""
    RED = "red"
    """The goods themselves."""


class CaseReason(StrEnum):
    """Why staff must act: what became known after release, or goods that were taken away without one."""

    AUDIT = "audit"
    CONTROL_REOPENED = "control_reopened"
    HOLD_AFTER_RELEASE = "hold_after_release"
    PAYMENT_REVERSED = "payment_reversed"
    PRESENTATION_WITHDRAWN = "presentation_withdrawn"
    DEPARTURE_WITHDRAWN = "departure_withdrawn"
    VALUE_UNKNOWN = "value_unknown"
    """Accepted, and the rules and rates at hand give no customs value. Opened before release."""
    REMOVED_BEFORE_RELEASE = "removed_before_release"
    """Goods passed the gate or the border before they were released. Opened before release, or with it."""


@dataclass(frozen=True, slots=True)
class RuleError:
    """One rule that a declaration breaks."""

    code: str
    pointer: str
    """JSON pointer into the declaration."""
    value: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the text of the code puts in."""


@dataclass(frozen=True, slots=True)
class RuleHit:
    rule: str
    version: int
    points: int
    lane: Lane | None = None
    """The least lane that the rule makes mandatory."""


@dataclass(frozen=True, slots=True)
class Routing:
    """A lane with all that is needed to compute it again."""

    lane: Lane
    score: int
    hits: tuple[RuleHit, ...]
    inputs: Mapping[str, str]
    seed: str


@dataclass(frozen=True, slots=True)
class AssessmentLine:
    item: int
    tax: str
    base: Decimal
    rate: Decimal
    formula: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Assessment:
    lines: tuple[AssessmentLine, ...]
    total: Money
    tariff: str
    assessed_at: datetime
    pay_by: datetime | None
    """None where nothing is to be paid."""
    payment_reference: PaymentReference | None = None
    """None of assessments before there were any."""


@dataclass(frozen=True, slots=True)
class State:
    id: str
    version: int
    status: Status
    declaration: Declaration
    receipt_id: str
    received_at: datetime
    """When the gateway had the present version."""
    firm: Identifier
    try_after: datetime | None
    """Set while the registry's answer is awaited."""
    errors: tuple[RuleError, ...] = ()
    """Of the present version, where it is rejected."""
    serial: str | None = None
    """Nine digits reserved for the number."""
    number: DeclarationNumber | None = None
    accepted_at: datetime | None = None
    routing: Routing | None = None
    claims: tuple[Claim, ...] = ()
    """What partners said, as it happened; never dropped, also across versions."""
    assessment: Assessment | None = None
    shares: tuple[Share, ...] = ()
    """Of payments that named the UCR alone, as its account gave them."""
    deadlines_passed: frozenset[str] = frozenset()
    """Names of the rows of `deadlines`."""
    released_at: datetime | None = None
    cases: tuple[CaseReason, ...] = ()
