"""The goods are presented, released and leave; and what staff must look at."""

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
class Guard:
    """The terms of the release guard."""

    accepted: bool
    control_done: bool
    no_holds: bool
    money_settled: bool
    presented: bool

    @property
    def holds(self) -> bool:
        return self.accepted and self.control_done and self.no_holds and self.money_settled and self.presented


@dataclass(frozen=True, slots=True)
class Released:
    released_at: datetime
    guard: Guard


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
