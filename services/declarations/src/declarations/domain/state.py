"""The state of one declaration, the result of `evolve` over its events."""

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
    """The main state, in the order of the life cycle."""

    SUBMITTED = "submitted"
    """It breaks no rule; the registry has not answered for its parties yet."""
    REJECTED = "rejected"
    PRELODGED = "prelodged"
    """It is in order; the goods have not arrived."""
    ACCEPTED = "accepted"
    UNDER_CONTROL = "under_control"
    ASSESSED = "assessed"
    RELEASED = "released"
    REMOVED = "removed"
    EXITED = "exited"
    CLOSED = "closed"

    def is_before(self, other: "Status") -> bool:
        """Whether this state comes before another in the life cycle."""
        order = tuple(Status)
        return order.index(self) < order.index(other)


class Lane(StrEnum):
    """Depth of control before release, the lightest first."""

    GREEN = "green"
    BLUE = "blue"
    """Audit after release."""
    YELLOW = "yellow"
    """Check of documents."""
    RED = "red"
    """Inspection of the goods."""


class CaseReason(StrEnum):
    """Why staff must act: facts that became known after release, or goods that left without release."""

    AUDIT = "audit"
    CONTROL_REOPENED = "control_reopened"
    HOLD_AFTER_RELEASE = "hold_after_release"
    PAYMENT_REVERSED = "payment_reversed"
    PRESENTATION_WITHDRAWN = "presentation_withdrawn"
    DEPARTURE_WITHDRAWN = "departure_withdrawn"
    VALUE_UNKNOWN = "value_unknown"
    """Accepted, but the available rules and rates give no customs value. Opened before release."""
    REMOVED_BEFORE_RELEASE = "removed_before_release"
    """Goods passed the gate or the border before release. Opened before release, or with it."""


@dataclass(frozen=True, slots=True)
class RuleError:
    """A rule that a declaration breaks."""

    code: str
    pointer: str
    """JSON pointer into the declaration."""
    value: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the code's text."""


@dataclass(frozen=True, slots=True)
class RuleHit:
    rule: str
    version: int
    points: int
    lane: Lane | None = None
    """The minimum lane that the rule requires."""


@dataclass(frozen=True, slots=True)
class Routing:
    """A lane with everything needed to reproduce it."""

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
    """None if nothing is to be paid."""
    payment_reference: PaymentReference | None = None
    """None in assessments from before payment references existed."""


@dataclass(frozen=True, slots=True)
class State:
    id: str
    version: int
    status: Status
    declaration: Declaration
    receipt_id: str
    received_at: datetime
    """When the gateway received the current version."""
    firm: Identifier
    try_after: datetime | None
    """Set while waiting for the registry's answer."""
    errors: tuple[RuleError, ...] = ()
    """Errors of the current version, if it is rejected."""
    serial: str | None = None
    """Nine digits reserved for the declaration number."""
    number: DeclarationNumber | None = None
    accepted_at: datetime | None = None
    routing: Routing | None = None
    claims: tuple[Claim, ...] = ()
    """Claims of partners in the order of events; never dropped, not even by a new version."""
    assessment: Assessment | None = None
    shares: tuple[Share, ...] = ()
    """Shares of payments that name only the UCR, as allocated by its account."""
    deadlines_passed: frozenset[str] = frozenset()
    """Names of rows in `deadlines`."""
    released_at: datetime | None = None
    cases: tuple[CaseReason, ...] = ()
