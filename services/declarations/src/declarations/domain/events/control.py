"""Events of control: lane, documents, inspection, holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from declarations.domain.claims import InspectionResult
from declarations.domain.state import Lane, RuleHit


@dataclass(frozen=True, slots=True)
class Routed:
    lane: Lane
    score: int
    hits: tuple[RuleHit, ...]
    inputs: Mapping[str, str]
    seed: str
    routed_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentsRequested:
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentsAccepted:
    pass


@dataclass(frozen=True, slots=True)
class InspectionOrdered:
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class InspectionCompleted:
    result: InspectionResult
    findings: str | None


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    hold: str


@dataclass(frozen=True, slots=True)
class HoldLifted:
    hold: str
