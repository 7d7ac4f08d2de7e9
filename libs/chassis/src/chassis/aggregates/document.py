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
from typing import Any, Generic, NamedTuple, TypeVar

from chassis.aggregates.model import AggregateType, UnreadableDocument

S = TypeVar("S")

Document = dict[str, Any]
"""As stored: plain BSON values."""


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
    history: list[Document] = field(default_factory=list)
    length: int = 0
    """How many lines the stored document has."""
    moved: int = 0
    """How many older ones were moved to the history collection."""
    outbox: list[Document] = field(default_factory=list)
    last_trace: Mapping[str, str] = field(default_factory=dict)
    """Trace of the latest input that changed something."""
    rebuilt: Document | None = None
    plain: Mapping[str, Any] = field(default_factory=dict)
    """Those of `PLAIN` that are stored."""
    rewritten: bool = False
    """Whether a line of the history was changed, so that it must be written as a whole."""
    new_lines: list[Document] = field(default_factory=list)
    new_entries: list[Document] = field(default_factory=list)
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

    def complete(self, line: Document) -> None:
        """Add to an interrupted cause's line what was missing."""
        for place, known in enumerate(self.history):
            if known["cause"] == line["cause"]:
                merged = {"hash": line["hash"], "token": line["token"], "events": [*known["events"], *line["events"]]}
                self.history[place] = {**known, **merged}
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
    history = document["history"]
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


def _last_trace(history: Sequence[Document]) -> Mapping[str, str]:
    """The trace of the latest input that changed something; where all of those were moved, of the latest of all."""
    latest: Mapping[str, str] = {}
    for line in reversed(history):
        if line["trace"] and line["events"]:
            return line["trace"]  # type: ignore[no-any-return]  # a document's
        latest = latest or line["trace"]
    return latest


class Change(NamedTuple):
    """What a save writes: the fields this release owns, nothing else."""

    id: str
    expected_version: int
    """0: the document must not exist yet."""
    seq: int
    fields: Mapping[str, Any] | None
    """The whole encoded state; None where the aggregate has none yet."""
    changed_fields: Mapping[str, Any]
    """Dotted name → value: what differs from what is stored, as deep as this release understands both."""
    first_state: bool
    """There was no state before: it is written as a whole."""
    lines: list[Document]
    history: list[Document] | None
    """The whole history where more changed than that lines were added."""
    outbox: list[Document]
    """The whole outbox after the save: what was unacknowledged, then what is new."""
    plain: Mapping[str, Any]
    """Those of `PLAIN` that the document has after the save."""
    plain_before: Mapping[str, Any]
    """Those that are stored."""

    @property
    def key(self) -> str:
        """The Kafka key of the aggregate's next events."""
        return str(self.plain["key"])


def write(type_: AggregateType[S, Any, Any], loaded: Loaded[S], acknowledged: int) -> Change:
    """The change that stores what was folded in; entries up to `acknowledged` leave the outbox."""
    state = loaded.state
    fields = None if state is None else type_.codec.encode(state)
    plain = {
        "key": loaded.id if state is None else type_.key(state),
        "schema": max(type_.schema, loaded.schema),
        "due_at": None if state is None else type_.due_at(state),
        "try_after": None if state is None else type_.try_after(state),
        "rebuilt": loaded.rebuilt,
    }
    return Change(
        id=loaded.id,
        expected_version=loaded.version,
        seq=loaded.seq,
        fields=fields,
        changed_fields={} if fields is None else _changed(type_, fields, loaded),
        first_state=not loaded.fields,
        lines=loaded.new_lines,
        history=[*loaded.history, *loaded.new_lines] if loaded.rewritten else None,
        outbox=[entry for entry in loaded.outbox if entry["seq"] > acknowledged] + loaded.new_entries,
        plain={name: value for name, value in plain.items() if value is not None},
        plain_before=loaded.plain,
    )


def settle(loaded: Loaded[S], change: Change) -> bool:
    """Bring an aggregate to how it stands behind its save, open for the next input; False: only a load can tell."""
    unusual = loaded.rewritten or loaded.moved or loaded.rebuilt is not None
    if unusual or change.fields is None or any("." in name for name in change.changed_fields):
        return False
    loaded.stored = loaded.state
    loaded.version, loaded.schema = change.expected_version + 1, change.plain["schema"]
    loaded.fields = change.fields if change.first_state else {**loaded.fields, **change.changed_fields}
    loaded.length += len(change.lines)
    loaded.plain = change.plain
    loaded.outbox = change.outbox
    loaded.history, loaded.new_lines, loaded.new_entries, loaded.told = [], [], [], []
    return True


def _changed(type_: AggregateType[S, Any, Any], fields: Mapping[str, Any], loaded: Loaded[S]) -> Mapping[str, Any]:
    """What of the encoded state differs from what is stored."""
    stored = loaded.fields
    different = {name: value for name, value in fields.items() if name not in stored or stored[name] != value}
    if loaded.stored is None or not any(isinstance(each, dict | list) for each in different.values()):
        return different
    # Within a list or a dictionary the difference may be what a newer release wrote: told by what this one read of it.
    return _changes(different, type_.codec.encode(loaded.stored), stored)


def _changes(now: Mapping[str, Any], before: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """What makes `now` of `stored`, leaving alone what is in `stored` and not in `before`: a newer release's fields."""
    changed: dict[str, Any] = {}
    for name, value in now.items():
        if name in before and name in stored and before[name] == value:
            continue
        old, there = before.get(name), stored.get(name)
        if isinstance(value, dict) and isinstance(old, dict) and isinstance(there, dict) and _mergeable(value, old):
            changed |= {f"{name}.{inner}": each for inner, each in _changes(value, old, there).items()}
        else:
            changed[name] = value
    return changed


def _mergeable(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether nothing is taken away, and every name can stand in a dotted one."""
    return now.keys() >= before.keys() and not any("." in name or name.startswith("$") or not name for name in now)
