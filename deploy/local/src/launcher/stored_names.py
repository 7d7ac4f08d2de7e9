"""A watch for tests: no test's process writes a field of a name that the database does not take or does not find.

Every client that is opened after `watch` is watched, so that a store which forgets about names is found by its own
tests. Services that run as processes of their own are not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo import monitoring

from chassis.aggregates import fits

_WRITING = ("$set", "$setOnInsert", "$push", "$addToSet")


class StoredNames(monitoring.CommandListener):
    """Collects what was written under unfit names."""

    def __init__(self) -> None:
        self.unfit: list[str] = []
        """`<collection>: <name>`, since they were last taken."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        name, command = event.command_name, event.command
        documents = command.get("documents", ()) if name == "insert" else _written(command.get("updates", ()))
        self.unfit += [f"{command[name]}: {field!r}" for document in documents for field in _names(document)]

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Asked for by the driver."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Asked for by the driver."""

    def take(self) -> list[str]:
        """What was found since it was last taken."""
        found, self.unfit = self.unfit, []
        return found


def watch() -> StoredNames:
    """Watch every client of this process that is opened from here on."""
    names = StoredNames()
    monitoring.register(names)
    return names


def _written(updates: Any) -> Iterator[Any]:
    """The values that updates write; the paths to them are the server's to refuse."""
    for update in (each["u"] for each in updates):
        if not isinstance(update, Mapping):
            continue  # a pipeline: it computes
        for operator, change in update.items():
            if not operator.startswith("$"):
                yield {operator: change}  # of a replacement
            elif operator in _WRITING:
                yield from (_pushed(value) for value in change.values())


def _pushed(value: Any) -> Any:
    return value["$each"] if isinstance(value, Mapping) and "$each" in value else value


def _names(value: Any) -> Iterator[str]:
    """Unfit names, however deep."""
    if isinstance(value, Mapping):
        yield from (name for name in value if not fits(name))
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _names(inner)
