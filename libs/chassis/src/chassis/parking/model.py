"""Deliveries that cannot be processed are parked per target: stored, shown, and replayed in order after a fix.

Each parked target has one lock. A delivery is stored before its lock is written. A lock is released only by a
compare-and-set on the version it had when the target was found empty, so a delivery appended meanwhile keeps the
target locked. Each user of the store declares its own port; both stores implement all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

BREAKER = "~breaker"
"""The lock that pauses all consumption."""
STEP = "~"
"""Prefix of the pseudo topic under which a timer or a pending step is parked."""
BEHIND = "behind"
"""Reason of a delivery that did not fail itself, but waits for an earlier parked one."""

PageMark: TypeAlias = tuple[datetime, str]
"""The end of a page: when its last delivery was parked, and its id."""


def key_lock(topic: str, key: str) -> str:
    """The lock for records whose target cannot be determined: topic and key."""
    return f"{topic}|{key}"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The place of a record in Kafka; parked deliveries are replayed in this order."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class ParkedDelivery:
    """A parked delivery, with all that is needed to diagnose and replay it."""

    target: str
    position: Position
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None
    timestamp_ms: int
    reason: str
    """A stable code: undecodable, unknown_version, schema, refused, conflict, behind."""
    error: str = ""
    stack: str = ""
    event_id: str = ""
    event_type: str = ""
    trace_id: str = ""
    build: str = ""
    """The build of the last failed attempt."""
    parked_at: datetime | None = None
    tried_at: datetime | None = None
    """When a redrive of it last failed."""

    @property
    def id(self) -> str:
        return f"{self.position}/{self.target}"

    @property
    def is_step(self) -> bool:
        """Whether it is a timer or a pending step, which is retried automatically once unlocked."""
        return self.position.topic.startswith(STEP)

    @property
    def mark(self) -> PageMark:
        """Its place in the list of parked deliveries, oldest first; only a stored delivery has one.

        Raises:
            ValueError: it was not stored.
        """
        if self.parked_at is None:
            raise ValueError(f"{self.id} is not stored")
        return self.parked_at, self.id


@dataclass(frozen=True, slots=True)
class ParkedTarget:
    """All parked deliveries of one target."""

    target: str
    first: ParkedDelivery
    """The delivery that is replayed first: the one that failed."""
    waiting: int
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenBreaker:
    """Why all consumption is paused, and since when."""

    reason: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class TargetPage:
    """A page of parked targets, and the breaker."""

    targets: list[ParkedTarget]
    last: str
    """The next page begins after this one; empty: there is none."""
    breaker: OpenBreaker | None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One action on a parked delivery: who, why, and the outcome."""

    id: str
    action: str
    """redriven, discarded, resumed (the breaker)."""
    target: str
    by: str
    why: str
    outcome: str
    at: datetime
    delivery: ParkedDelivery | None = None
    """The removed delivery; None if nothing was removed (a failed attempt, the breaker)."""

    @property
    def mark(self) -> PageMark:
        return self.at, self.id


class Locked(Protocol):
    """The look-up of locks, for whoever acts on a document."""

    async def locked(self, targets: Iterable[str]) -> set[str]:
        """Those of `targets` that have parked deliveries."""
        ...
