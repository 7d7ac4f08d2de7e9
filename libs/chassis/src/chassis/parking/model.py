"""What cannot be processed is parked per target: kept, shown, and replayed in order once mended.

One lock per parked target; a delivery is kept before its lock is written, and a lock is released only by a
compare-and-set on the version it had before the last look, so that a delivery that is appended meanwhile keeps the
target locked. What is done with the store stands as a port beside whoever does it; the stores serve all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

BREAKER = "~breaker"
"""The lock under which consumption as a whole pauses."""
STEP = "~"
"""Begins the name that stands in place of a topic where a timer or a pending step is parked."""
BEHIND = "behind"
"""The reason of what did not fail itself: it waits for what is parked before it."""

PageMark: TypeAlias = tuple[datetime, str]
"""Where a page ended: when a delivery was parked, and its id."""


def key_lock(topic: str, key: str) -> str:
    """The lock of what cannot be resolved to a target: topic and key."""
    return f"{topic}|{key}"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a record stands in Kafka; in order of which what is parked is replayed."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class ParkedDelivery:
    """One delivery that waits, with all that is needed to understand and to replay it."""

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
    """The build that refused it, at the last attempt."""
    parked_at: datetime | None = None
    tried_at: datetime | None = None
    """When a redrive last failed at it."""

    @property
    def id(self) -> str:
        return f"{self.position}/{self.target}"

    @property
    def is_step(self) -> bool:
        """Whether it stands for a timer or a pending step, which is tried again by itself once unlocked."""
        return self.position.topic.startswith(STEP)

    @property
    def mark(self) -> PageMark:
        """Its place among all that is parked, oldest first; only a stored delivery has one.

        Raises:
            ValueError: it was not stored.
        """
        if self.parked_at is None:
            raise ValueError(f"{self.id} is not stored")
        return self.parked_at, self.id


@dataclass(frozen=True, slots=True)
class ParkedTarget:
    """All that waits for one target."""

    target: str
    first: ParkedDelivery
    """The one that is replayed first: what failed, those behind it follow."""
    waiting: int
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenBreaker:
    """Why consumption as a whole pauses, and since when."""

    reason: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class TargetPage:
    """A page of what is parked, target by target, and whether consumption pauses."""

    targets: list[ParkedTarget]
    last: str
    """The next page begins after this one; empty: there is none."""
    breaker: OpenBreaker | None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What was done about something parked: by whom, why, and what came of it."""

    id: str
    action: str
    """redriven, discarded, resumed (the breaker)."""
    target: str
    by: str
    why: str
    outcome: str
    at: datetime
    delivery: ParkedDelivery | None = None
    """What was taken out, as it was; none where nothing was: an attempt that failed, the breaker."""

    @property
    def mark(self) -> PageMark:
        return self.at, self.id


class Locked(Protocol):
    """What everybody asks who acts on a document by itself."""

    async def locked(self, targets: Iterable[str]) -> set[str]:
        """Those of `targets` that have something parked."""
        ...
