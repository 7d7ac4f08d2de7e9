"""What an aggregate is to the chassis, what is handed to it, and how that can end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from pymongo import IndexModel

from chassis.aggregates.codec import Codec
from chassis.failures import DocumentRefused

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")
_Seen_contra = TypeVar("_Seen_contra", contravariant=True)


class Messages(Protocol[_Seen_contra, E]):
    """Domain events ↔ what stands on the wire."""

    def encode(self, event: E, state: _Seen_contra) -> tuple[str, bytes]:
        """The event's type and JSON payload; `state` is the state after it."""
        ...

    def decode(self, type: str, data: bytes) -> E:  # noqa: A002 - CloudEvents' own name
        """The domain event of a payload, as `encode` wrote it; used to rebuild a lost database."""
        ...


def _never(_: Any) -> None:
    return None


def _nothing(_: Any) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class AggregateType(Generic[S, C, E]):
    """One kind of aggregate of a service. Everything in it is pure."""

    name: str
    collection: str
    decide: Callable[[S | None, C, datetime], Sequence[E]]
    """(state or None, command, now) → events. Raises where the command is refused or wrong: nothing is saved then.
    No events is a decision too: the input is remembered all the same."""
    evolve: Callable[[S | None, E], S]
    key: Callable[[S], str]
    """The Kafka key of everything the aggregate publishes."""
    codec: Codec[S]
    messages: Messages[S, E]
    due_at: Callable[[S], datetime | None] = _never
    """The next deadline, if any."""
    try_after: Callable[[S], datetime | None] = _never
    """From when pending work (a peer look-up, an external send) may be attempted, if there is any."""
    baggage: Callable[[S], Mapping[str, str]] = _nothing
    """`trade.*` entries that every span and log line of this aggregate carries."""
    indexes: Sequence[IndexModel] = ()
    tells_of: Sequence[str] = ()
    """What its events' types name as the aggregate (`declaration` in `trade.gateway.declaration.submitted.v1`);
    empty: its own name. A rebuild tells by it whose an event is, where several types publish on one topic."""
    schema: int = 1
    """Written into documents."""
    reads: int = 0
    """The highest schema that this release can read, where that is more than it writes: a document that has it
    keeps it. One with a higher schema yet is left alone."""

    @property
    def has_deadlines(self) -> bool:
        return self.due_at is not _never

    @property
    def has_pending_work(self) -> bool:
        return self.try_after is not _never


class Input(NamedTuple, Generic[C]):
    """One command for one aggregate, with the identity that makes it count once."""

    target: str
    cause: str
    """Id of what asks for it: an event's id, a command's id, a timer's. The same cause is applied once."""
    command: C
    actor: str
    hash: str = ""
    """Of the content: the same cause with another hash is a conflict. Empty: not compared."""
    trace: Mapping[str, str] = MappingProxyType({})
    """W3C headers of the parent; empty: the current context."""
    span: str = ""
    """Name of the span; empty: `apply <Command>`."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """In place of a command: staff discarded the input. Nothing is decided, and the line in the history says why."""

    why: str


class Applied(NamedTuple, Generic[S]):
    """The command was decided, and what came of it is saved."""

    state: S | None
    events: tuple[str, ...]
    """Ids of the events, in order."""


@dataclass(frozen=True, slots=True)
class Duplicate(Generic[S]):
    """The same input was applied before."""

    state: S | None


@dataclass(frozen=True, slots=True)
class Conflict(Generic[S]):
    """An input of the same identity, but with other content, was applied before."""

    state: S | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The command was refused or its handling broke: nothing was saved."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Blocked:
    """Not attempted, because an earlier input of the same batch for the same target failed."""


Outcome: TypeAlias = Applied[S] | Duplicate[S] | Conflict[S] | Failed | Blocked


class UnreadableDocument(Exception):
    """A document was written by a release that this one cannot read. It is left alone."""


class EventTooLarge(Exception):
    """An event would exceed what the broker takes."""


class DocumentTooLarge(DocumentRefused):
    """A document would exceed what the database takes."""
