"""The update that a save writes: only the fields that this release owns and that changed."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from chassis.aggregates.document import HistoryLine, Loaded, OutboxEntry
from chassis.aggregates.model import AggregateType

S = TypeVar("S")


class Change(NamedTuple):
    """The update of one document."""

    id: str
    expected_version: int
    """0: the document must not exist yet."""
    seq: int
    fields: Mapping[str, Any] | None
    """The whole encoded state; None where the aggregate has none yet."""
    changed_fields: Mapping[str, Any]
    """Dotted name → value: the differences from the stored state, in the fields that this release knows."""
    first_state: bool
    """There was no state before: the whole state is written."""
    lines: list[HistoryLine]
    history: list[HistoryLine] | None
    """The whole history, if more changed than that lines were added."""
    outbox: list[OutboxEntry]
    """The whole outbox after the save: unacknowledged entries, then new ones."""
    plain: Mapping[str, Any]
    """The `PLAIN` fields that the document has after the save."""
    plain_before: Mapping[str, Any]
    """The `PLAIN` fields that are stored now."""

    @property
    def key(self) -> str:
        """The Kafka key of the aggregate's next events."""
        return str(self.plain["key"])


def write(type_: AggregateType[S, Any, Any], loaded: Loaded[S], acknowledged: int) -> Change:
    """The change that stores the applied inputs; entries up to `acknowledged` leave the outbox."""
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
    """Update a loaded aggregate to its saved form, ready for the next input; False: it must be loaded again."""
    unusual = loaded.rewritten or loaded.moved or loaded.rebuilt is not None
    if unusual or change.fields is None or any("." in name for name in change.changed_fields):
        return False
    loaded.stored = loaded.state
    loaded.version, loaded.schema = change.expected_version + 1, change.plain["schema"]
    loaded.fields = change.fields if change.first_state else {**loaded.fields, **change.changed_fields}
    loaded.length += len(change.lines)
    loaded.plain = change.plain
    loaded.outbox = change.outbox
    loaded.history, loaded.new_lines, loaded.new_entries, loaded.log_lines = [], [], [], []
    return True


def _changed(type_: AggregateType[S, Any, Any], fields: Mapping[str, Any], loaded: Loaded[S]) -> Mapping[str, Any]:
    """The fields of the encoded state that differ from the stored ones."""
    stored = loaded.fields
    different = {name: value for name, value in fields.items() if name not in stored or stored[name] != value}
    if loaded.stored is None or not any(isinstance(each, dict | list) for each in different.values()):
        return different
    # A difference inside a list or dictionary may be a newer release's fields: compare what this release read of it.
    return _changes(different, type_.codec.encode(loaded.stored), stored)


def _changes(now: Mapping[str, Any], before: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The changes from `stored` to `now`, sparing what is in `stored` but not in `before`: a newer release's fields."""
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
    """Whether no field is removed, and every name can be part of a dotted path."""
    return now.keys() >= before.keys() and not any("." in name or name.startswith("$") or not name for name in now)
