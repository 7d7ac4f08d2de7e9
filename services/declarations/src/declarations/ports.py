"""The ports of the handlers: stored partner events, reserved serials, the registry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from declarations.domain.commands import Standing
from declarations.domain.declaration import Direction, Party
from declarations.domain.references import References


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """A stored partner event; never changed and never deleted."""

    id: str
    type: str
    classifier: str
    """ACT events are matched with declarations; PLN and EST are expectations and only stored."""
    references: References
    occurred_at: datetime
    received_at: datetime
    publisher: str
    actor: str
    data: str
    """The original payload."""
    trace: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    """Number of attempts without success."""


class PartnerEvents(Protocol):
    """All partner events read, and which of them still wait for a declaration."""

    async def keep(self, events: Sequence[KeptEvent]) -> None:
        """Insert events; existing ones stay unchanged."""
        ...

    async def mark_waiting(self, next_attempts: Mapping[str, datetime]) -> None:
        """Mark events (id → time of the next attempt) as waiting, and count the attempt."""
        ...

    async def mark_matched(self, ids: Sequence[str]) -> None:
        """Mark events as no longer waiting."""
        ...

    async def with_references(self, references: Sequence[References]) -> list[KeptEvent]:
        """Actual events whose strongest reference is among these references of declarations."""
        ...

    async def due(self, now: datetime, limit: int) -> list[KeptEvent]:
        """Waiting events whose next attempt is due, the longest due first."""
        ...

    async def unmatched(self, *, after_id: str, limit: int) -> list[KeptEvent]:
        """A page of waiting events by id."""
        ...


@dataclass(frozen=True, slots=True)
class SerialRequest:
    """The declaration that needs a serial, and the scope in which it must be unique."""

    declaration_id: str
    office: str
    direction: Direction


class Serials(Protocol):
    async def reserve(self, requests: Sequence[SerialRequest]) -> list[str]:
        """Reserve a serial for each request; a repeated request gets the same one."""
        ...


class Registry(Protocol):
    async def standings(self, parties: Sequence[Party]) -> Mapping[Party, Standing]:
        """The answer for each distinct party; raises if the registry is unreachable."""
        ...
