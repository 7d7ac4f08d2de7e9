"""What cannot be processed is parked per target: kept, shown, and replayed in order once mended.

The port between the delivery policy and where parked deliveries are stored. One lock per parked
target; a delivery is kept before its lock is written, and a lock is released only by a
compare-and-set on the version it had before the last look, so that a delivery that is appended
meanwhile keeps the target locked.
"""

from collections.abc import Iterable, Sequence
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


class ParkingStore(Protocol):
    async def locked(self, targets: Iterable[str]) -> set[str]:
        """Those of `targets` that have something parked."""
        ...

    async def all_locked(self, limit: int) -> set[str] | None:
        """Everything that has something parked; None where that is more than `limit`."""
        ...

    async def park(self, deliveries: Sequence[ParkedDelivery]) -> None:
        """Keep deliveries and lock their targets; harmless to repeat."""
        ...

    async def lock_version(self, target: str) -> int | None:
        """The version of a target's lock, None where it has none."""
        ...

    async def waiting(self, target: str, limit: int) -> list[ParkedDelivery]:
        """A target's deliveries in the order in which they are replayed: per topic by partition and offset."""
        ...

    async def count(self, target: str) -> int:
        """How many deliveries wait for a target."""
        ...

    async def release(self, target: str, version: int) -> bool:
        """Unlock a target if nothing was appended since `version` was read."""
        ...

    async def is_empty(self) -> bool:
        """Whether nothing is parked or locked, and the breaker is closed: as it nearly always is."""
        ...

    async def release_empty(self) -> list[str]:
        """Unlock targets that have nothing parked any more: whoever took the last delivery out died before it could."""
        ...

    async def strays(self, kept_before: datetime) -> list[str]:
        """Targets that wait for nothing.

        Parked behind a lock that was released between the look and the parking, or kept before
        `kept_before` by a process that died before it locked them.
        """
        ...

    async def failed_again(self, delivery: ParkedDelivery) -> None:
        """Note why a parked delivery failed this time; its place stays, and its target is locked."""
        ...

    async def remove(self, delivery_id: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        """Take one delivery out, leaving a line in the audit."""
        ...

    async def write_audit(self, target: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        """Leave a line in the audit for what took nothing out."""
        ...

    async def audit(self, target: str, before: PageMark | None, limit: int) -> list[AuditLine]:
        """Lines of the audit, the latest first, older than `before`, of one target or of all (empty)."""
        ...

    async def discarded(self, after: PageMark | None, limit: int) -> list[AuditLine]:
        """The audit's lines of what was given up, oldest first, behind `after`."""
        ...

    async def show(self, delivery_id: str) -> ParkedDelivery | None: ...

    async def targets(self, after: str, limit: int) -> tuple[list[ParkedTarget], str]:
        """Parked targets by name behind `after`, and the name behind which the next page begins: empty at the end."""
        ...

    async def target(self, target: str) -> ParkedTarget | None:
        """One parked target; None where nothing waits for it."""
        ...

    async def list(self, target: str, after: PageMark | None, limit: int) -> list[ParkedDelivery]:
        """Parked deliveries, oldest first, behind `after`, of one target or of all (empty)."""
        ...

    async def set_breaker(self, reason: str) -> None: ...

    async def breaker(self) -> OpenBreaker | None: ...

    async def clear_breaker(self) -> None: ...

    async def any_parked(self, reason: str, since: datetime) -> bool:
        """Whether something that was parked with this reason since then still waits."""
        ...

    async def counts(self) -> tuple[int, int]:
        """(parked deliveries, locked targets)"""
        ...
