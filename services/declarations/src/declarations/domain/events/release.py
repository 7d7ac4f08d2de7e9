"""Events of presentation, release and departure, and cases for staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from declarations.domain.state import CaseReason


@dataclass(frozen=True, slots=True)
class Presented:
    presented_at: datetime


@dataclass(frozen=True, slots=True)
class PresentationWithdrawn:
    pass


@dataclass(frozen=True, slots=True)
class Released:
    released_at: datetime
    guard: Mapping[str, bool]
    """Term of release → whether it held."""


@dataclass(frozen=True, slots=True)
class Removed:
    removed_at: datetime


@dataclass(frozen=True, slots=True)
class Exited:
    exited_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class CaseOpened:
    reason: CaseReason
    opened_at: datetime
