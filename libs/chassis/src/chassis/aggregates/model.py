"""The types of an aggregate: its definition, its inputs, and their outcomes."""

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
    """Domain events ↔ their form on the wire."""

    def encode(self, event: E, state: _Seen_contra) -> tuple[str, bytes]:
        """The event's type and JSON payload; `state` is the state after it."""
        ...

    def decode(self, type: str, data: bytes) -> E:  # noqa: A002 - CloudEvents' own name
        """The domain event of a payload that `encode` wrote; used to rebuild a lost database."""
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
    """(state or None, command, now) → events. Raises if the command is refused or wrong; then nothing is saved.
    An empty result is a decision too: the input is still recorded in the history."""
    evolve: Callable[[S | None, E], S]
    key: Callable[[S], str]
    """The Kafka key of all events of the aggregate."""
    codec: Codec[S]
    messages: Messages[S, E]
    due_at: Callable[[S], datetime | None] = _never
    """The next deadline, if any."""
    try_after: Callable[[S], datetime | None] = _never
    """The earliest time to attempt pending work (a peer look-up, an external send), if there is any."""
    baggage: Callable[[S], Mapping[str, str]] = _nothing
    """`trade.*` entries for every span and log line of this aggregate."""
    indexes: Sequence[IndexModel] = ()
    tells_of: Sequence[str] = ()
    """The aggregate's name in its event types (`declaration` in `trade.gateway.declaration.submitted.v1`);
    empty: its own name. A rebuild uses it to assign events where several aggregate types share a topic."""
    schema: int = 1
    """The schema number written into documents."""
    reads: int = 0
    """The highest schema that this release can read, if higher than the one it writes. A document with it keeps it;
    one with a still higher schema is not touched."""

    @property
    def has_deadlines(self) -> bool:
        return self.due_at is not _never

    @property
    def has_pending_work(self) -> bool:
        return self.try_after is not _never


class Input(NamedTuple, Generic[C]):
    """One command for one aggregate, with the identity by which it is applied once."""

    target: str
    cause: str
    """Id of the event, command or timer that asks for it. Each cause is applied once."""
    command: C
    actor: str
    hash: str = ""
    """Hash of the content: the same cause with another hash is a conflict. Empty: not compared."""
    trace: Mapping[str, str] = MappingProxyType({})
    """W3C headers of the parent; empty: the current context."""
    span: str = ""
    """Name of the span; empty: `apply <Command>`."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """In place of a command: staff discarded the input. Nothing is decided; the history line gives the reason."""

    why: str


class Applied(NamedTuple, Generic[S]):
    """The command was decided and the result is saved."""

    state: S | None
    events: tuple[str, ...]
    """Ids of the events, in order."""


@dataclass(frozen=True, slots=True)
class Duplicate(Generic[S]):
    """This input was applied before."""

    state: S | None


@dataclass(frozen=True, slots=True)
class Conflict(Generic[S]):
    """An input with the same cause but other content was applied before."""

    state: S | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The command was refused or its handling failed; nothing was saved."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Blocked:
    """Not attempted, because an earlier input for the same target in this batch failed."""


Outcome: TypeAlias = Applied[S] | Duplicate[S] | Conflict[S] | Failed | Blocked


class UnreadableDocument(Exception):
    """The document was written by a newer release, which this one cannot read. It is not touched."""


class EventTooLarge(Exception):
    """An event exceeds the broker's limit."""


class DocumentTooLarge(DocumentRefused):
    """A document exceeds the database's limit."""
