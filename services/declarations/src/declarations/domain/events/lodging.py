"""Events of lodging: a version is submitted, refused, rejected, prelodged or accepted."""

from dataclasses import dataclass
from datetime import datetime

from declarations.domain.declaration import Declaration, Function, Identifier
from declarations.domain.state import RuleError


@dataclass(frozen=True, slots=True)
class Submitted:
    declaration_id: str
    version: int
    receipt_id: str
    received_at: datetime
    firm: Identifier
    function: Function
    submitted_at: datetime
    declaration: Declaration
    warnings: tuple[RuleError, ...] = ()
    """Rules that give a warning and refuse nothing."""


@dataclass(frozen=True, slots=True)
class SubmissionRefused:
    receipt_id: str
    errors: tuple[RuleError, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    version: int
    receipt_id: str
    rejected_at: datetime
    errors: tuple[RuleError, ...]


@dataclass(frozen=True, slots=True)
class Prelodged:
    prelodged_at: datetime
    serial: str


@dataclass(frozen=True, slots=True)
class Accepted:
    number: str
    accepted_at: datetime
