"""A check for tests: no store may write a field name that the database does not accept or cannot find.

It watches every client opened in this process after `watch`, so a store that does not escape names fails its own
tests. Services in other processes are not watched.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo import monitoring

from chassis.aggregates import fits

_WRITING = ("$set", "$setOnInsert", "$push", "$addToSet")


class StoredNames(monitoring.CommandListener):
    """Collects unfit field names that were written."""

    def __init__(self) -> None:
        self.unfit: list[str] = []
        """`<collection>: <name>`, since the last `take`."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        name, command = event.command_name, event.command
        documents = command.get("documents", ()) if name == "insert" else _written(command.get("updates", ()))
        self.unfit += [f"{command[name]}: {field!r}" for document in documents for field in _names(document)]

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Asked for by the driver."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Asked for by the driver."""

    def take(self) -> list[str]:
        """The names found since the last call."""
        found, self.unfit = self.unfit, []
        return found


def watch() -> StoredNames:
    """Watch every client opened in this process from now on."""
    names = StoredNames()
    monitoring.register(names)
    return names


def _written(updates: Any) -> Iterator[Any]:
    """The values that updates write; bad paths are refused by the server."""
    for update in (each["u"] for each in updates):
        if not isinstance(update, Mapping):
            continue  # a pipeline, which computes its values
        for operator, change in update.items():
            if not operator.startswith("$"):
                yield {operator: change}  # of a replacement
            elif operator in _WRITING:
                yield from (_pushed(value) for value in change.values())


def _pushed(value: Any) -> Any:
    return value["$each"] if isinstance(value, Mapping) and "$each" in value else value


def _names(value: Any) -> Iterator[str]:
    """Unfit names, at any depth."""
    if isinstance(value, Mapping):
        yield from (name for name in value if not fits(name))
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _names(inner)
