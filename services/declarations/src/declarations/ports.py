"""What the handlers need from outside: kept partner events, reserved serials, the registry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from declarations.domain.commands import Standing
from declarations.domain.declaration import Direction, Party
from declarations.domain.references import References


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """A partner event as it came; it is never changed and never dropped."""

    id: str
    type: str
    classifier: str
    """ACT is matched with declarations; PLN and EST are expectations and only kept."""
    references: References
    occurred_at: datetime
    received_at: datetime
    publisher: str
    actor: str
    data: str
    """The payload as it stood on the wire."""
    trace: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    """How often a declaration was looked for in vain."""


class PartnerEvents(Protocol):
    """Every partner event that was read, and which of them still wait for a declaration."""

    async def keep(self, events: Sequence[KeptEvent]) -> None:
        """Insert; those that are there already stay as they are."""
        ...

    async def await_declaration(self, next_attempts: Mapping[str, datetime]) -> None:
        """Note of events (id → when to look again) that no declaration was found, one time more."""
        ...

    async def matched(self, ids: Sequence[str]) -> None:
        """Note that events wait no longer."""
        ...

    async def about(self, references: Sequence[References]) -> list[KeptEvent]:
        """Actual events whose decisive reference is among those of some declarations."""
        ...

    async def to_look_again(self, now: datetime, limit: int) -> list[KeptEvent]:
        """Waiting events whose next attempt has come, the longest due first."""
        ...

    async def unmatched(self, *, after_id: str, limit: int) -> list[KeptEvent]:
        """A page of waiting events by id."""
        ...


@dataclass(frozen=True, slots=True)
class SerialRequest:
    """Who needs a serial of a number, and within what it must be unique."""

    declaration_id: str
    office: str
    direction: Direction


class Serials(Protocol):
    async def reserve(self, requests: Sequence[SerialRequest]) -> list[str]:
        """A serial for each request; the same one when asked again."""
        ...


class Registry(Protocol):
    async def standings(self, parties: Sequence[Party]) -> Mapping[Party, Standing]:
        """The answer for each different party; raises where the registry is away."""
        ...
