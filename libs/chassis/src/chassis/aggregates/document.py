"""The document of an aggregate, read and changed in memory.

    { _id, key, version, seq, schema,
      state:   { … },                                                      what `evolve` made of the events
      history: [ {cause, hash, by, at, token, trace, events, given_up?} … ], one line per input; given up by staff: why
      moved:                                                               how many older lines stand elsewhere
      outbox:  [ {seq, id, key, type, time, cause, by, trace, cause_trace?, data} … ], events not yet acknowledged
      due_at, try_after,
      rebuilt: {cause, at, before} }                                       see `Interrupted`

The state stands in a field of its own, so that no name of a service can collide with one of ours.
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
    """What one input did."""

    cause: str
    hash: str
    """Of the input's content; empty: not known, or not to be compared."""
    by: str
    """The actor."""
    at: datetime
    token: str
    """Of the save that wrote the line: proves it where the answer is lost."""
    trace: Mapping[str, str]
    """W3C headers of what came of the input."""
    events: list[str]
    """Their ids, in order."""
    given_up: NotRequired[str]
    """Staff discarded the input: why."""


class OutboxEntry(TypedDict):
    """An event that Kafka has not acknowledged."""

    seq: int
    id: str
    key: NotRequired[str]
    """The Kafka key it was decided under; an older release did not store it."""
    type: str
    time: datetime
    cause: str
    by: str
    trace: Mapping[str, str]
    """W3C headers of the deciding."""
    cause_trace: NotRequired[Mapping[str, str]]
    """W3C headers of what the deciding followed from, where the deciding has a span of its own."""
    data: str
    """JSON."""


class Rebuilt(TypedDict):
    """The last cause that a rebuild found on the topic; see `Interrupted`."""

    cause: str
    at: datetime
    before: Mapping[str, Any] | None


PLAIN = ("key", "schema", "due_at", "try_after", "rebuilt")
"""Fields of ours that stay the same over most saves, and then are not written."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The last cause of which a rebuild found events on the topic: there may have been more of them.

    Remembered until its input is read again, which tells.
    """

    at: datetime
    """When it was decided."""
    before: Mapping[str, Any] | None
    """The encoded state that it was decided on."""
    known: int
    """How many of its events are known."""


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
    """The state as loaded: what this release understood of `fields`."""
    history: list[HistoryLine] = field(default_factory=list)
    length: int = 0
    """How many lines the stored document has."""
    moved: int = 0
    """How many older ones were moved to the history collection."""
    outbox: list[OutboxEntry] = field(default_factory=list)
    last_trace: Mapping[str, str] = field(default_factory=dict)
    """Trace of the latest input that changed something."""
    rebuilt: Rebuilt | None = None
    plain: Mapping[str, Any] = field(default_factory=dict)
    """Those of `PLAIN` that are stored."""
    rewritten: bool = False
    """Whether a line of the history was changed, so that it must be written as a whole."""
    new_lines: list[HistoryLine] = field(default_factory=list)
    new_entries: list[OutboxEntry] = field(default_factory=list)
    told: list[Mapping[str, Any]] = field(default_factory=list)
    """Per new line what the log is to say of it."""

    @property
    def changed(self) -> bool:
        return bool(self.new_lines) or self.rewritten

    def interrupted(self, cause: str) -> Interrupted | None:
        """Whether events of this cause may be missing since a rebuild."""
        if self.rebuilt is None or self.rebuilt["cause"] != cause:
            return None
        known = next((line["events"] for line in self.history if line["cause"] == cause), None)
        return None if known is None else Interrupted(self.rebuilt["at"], self.rebuilt["before"], len(known))

    def complete(self, line: HistoryLine) -> None:
        """Add to an interrupted cause's line what was missing."""
        for place, known in enumerate(self.history):
            if known["cause"] == line["cause"]:
                events = [*known["events"], *line["events"]]
                self.history[place] = {**known, "hash": line["hash"], "token": line["token"], "events": events}
        self.rebuilt, self.rewritten = None, True


def read(type_: AggregateType[S, Any, Any], id_: str, document: Document | None) -> Loaded[S]:
    """Open a document for folding.

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
    """The trace of the latest input that changed something; where all of those were moved, of the latest of all."""
    latest: Mapping[str, str] = {}
    for line in reversed(history):
        if line["trace"] and line["events"]:
            return line["trace"]
        latest = latest or line["trace"]
    return latest
