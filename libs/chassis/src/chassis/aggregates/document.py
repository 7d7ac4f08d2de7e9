"""The stored document of an aggregate, read and changed in memory.

    { _id, key, version, seq, schema,
      state:   { … },                                                      the result of `evolve` over the events
      history: [ {cause, hash, by, at, token, trace, events, given_up?} … ], one line per input; given up by staff: why
      moved:                                                               how many older lines are in the history
      outbox:  [ {seq, id, key, type, time, cause, by, trace, cause_trace?, data} … ], events not yet acknowledged
      due_at, try_after,
      rebuilt: {cause, at, before} }                                       see `Interrupted`

The state has a field of its own, so that no name of a service can collide with the chassis's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NotRequired, TypedDict, TypeVar

from chassis.aggregates.model import AggregateType, UnreadableDocument

S = TypeVar("S")

Document = dict[str, Any]
"""As stored: plain BSON values."""


class HistoryLine(TypedDict):
    """The record of one input."""

    cause: str
    hash: str
    """Hash of the input's content; empty: unknown, or not to be compared."""
    by: str
    """The actor."""
    at: datetime
    token: str
    """Token of the save that wrote the line; proves the save if its answer is lost."""
    trace: Mapping[str, str]
    """W3C headers of the input's processing."""
    events: list[str]
    """Event ids, in order."""
    given_up: NotRequired[str]
    """Staff discarded the input: why."""


class OutboxEntry(TypedDict):
    """An event that Kafka has not acknowledged yet."""

    seq: int
    id: str
    key: NotRequired[str]
    """The Kafka key at the time of the decision; older releases did not store it."""
    type: str
    time: datetime
    cause: str
    by: str
    trace: Mapping[str, str]
    """W3C headers of the decision."""
    cause_trace: NotRequired[Mapping[str, str]]
    """W3C headers of the decision's cause, if the decision has a span of its own."""
    data: str
    """JSON."""


class Rebuilt(TypedDict):
    """The last cause that a rebuild found on the topic; see `Interrupted`."""

    cause: str
    at: datetime
    before: Mapping[str, Any] | None


PLAIN = ("key", "schema", "due_at", "try_after", "rebuilt")
"""Fields of the chassis that most saves leave unchanged; they are written only when they change."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The last cause whose events a rebuild found on the topic; some of its events may be missing.

    Kept until its input is read again, which restores them.
    """

    at: datetime
    """When the cause was decided."""
    before: Mapping[str, Any] | None
    """The encoded state before it."""
    known: int
    """How many of its events were found."""


@dataclass(slots=True)
class Loaded(Generic[S]):
    """One aggregate while inputs are folded into it."""

    id: str
    state: S | None = None
    version: int = 0
    """0: not stored yet."""
    seq: int = 0
    schema: int = 0
    causes: dict[str, str] = field(default_factory=dict)
    """Cause → hash of every input remembered."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The encoded state as loaded."""
    stored: S | None = None
    """The state as loaded: the part of `fields` that this release knows."""
    history: list[HistoryLine] = field(default_factory=list)
    length: int = 0
    """How many history lines the stored document has."""
    moved: int = 0
    """How many older lines were moved to the history collection."""
    outbox: list[OutboxEntry] = field(default_factory=list)
    last_trace: Mapping[str, str] = field(default_factory=dict)
    """Trace of the latest input that changed something."""
    rebuilt: Rebuilt | None = None
    plain: Mapping[str, Any] = field(default_factory=dict)
    """The `PLAIN` fields that are stored."""
    rewritten: bool = False
    """Whether a history line was changed, so that the whole history must be written."""
    new_lines: list[HistoryLine] = field(default_factory=list)
    new_entries: list[OutboxEntry] = field(default_factory=list)
    log_lines: list[Mapping[str, Any]] = field(default_factory=list)
    """Log fields per new line."""

    @property
    def changed(self) -> bool:
        return bool(self.new_lines) or self.rewritten

    def interrupted(self, cause: str) -> Interrupted | None:
        """The marker of an interrupted cause, if it is this one."""
        if self.rebuilt is None or self.rebuilt["cause"] != cause:
            return None
        known = next((line["events"] for line in self.history if line["cause"] == cause), None)
        return None if known is None else Interrupted(self.rebuilt["at"], self.rebuilt["before"], len(known))

    def complete(self, line: HistoryLine) -> None:
        """Add the missing events to an interrupted cause's line."""
        for place, known in enumerate(self.history):
            if known["cause"] == line["cause"]:
                events = [*known["events"], *line["events"]]
                self.history[place] = {**known, "hash": line["hash"], "token": line["token"], "events": events}
        self.rebuilt, self.rewritten = None, True


def read(type_: AggregateType[S, Any, Any], id_: str, document: Document | None) -> Loaded[S]:
    """Load a document for folding inputs in.

    Raises:
        UnreadableDocument: a newer release wrote it.
    """
    if document is None:
        return Loaded(id_)
    readable = max(type_.schema, type_.reads)
    if document["schema"] > readable:
        raise UnreadableDocument(f"{type_.name} {id_} has schema {document['schema']}, this build reads {readable}")
    history: list[HistoryLine] = document["history"]
    state = type_.codec.decode(document["state"]) if document["state"] is not None else None
    return Loaded(
        id=id_,
        state=state,
        stored=state,
        version=document["version"],
        seq=document["seq"],
        schema=document["schema"],
        causes={line["cause"]: line["hash"] for line in history},
        fields=document["state"] or {},
        history=history,
        length=len(history),
        rebuilt=document.get("rebuilt"),
        plain={name: document[name] for name in PLAIN if name in document},
        moved=document.get("moved", 0),
        outbox=document["outbox"],
        last_trace=_last_trace(history),
    )


def _last_trace(history: Sequence[HistoryLine]) -> Mapping[str, str]:
    """The trace of the latest input that changed something, or of the latest input if those lines were all moved."""
    latest: Mapping[str, str] = {}
    for line in reversed(history):
        if line["trace"] and line["events"]:
            return line["trace"]
        latest = latest or line["trace"]
    return latest
