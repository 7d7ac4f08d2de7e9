"""Every event type of the platform, found in the modules `contracts.<owner>.v<major>`.

A module is included if it has a dictionary `EVENTS` of type → payload; there is no list to maintain.
"""

import importlib
import pkgutil
import re
from dataclasses import dataclass

import contracts
from contracts.values import Payload

_VERSION = re.compile(r"v[1-9]\d*")


@dataclass(frozen=True, slots=True)
class EventType:
    name: str
    """As in `ce_type`: `trade.<owner>.<aggregate>.<fact>.v<major>`."""
    owner: str
    version: str
    payload: type[Payload]


def event_types() -> dict[str, EventType]:
    """Every event type by its name, sorted.

    Raises:
        ValueError: a type is in two modules, or its name does not match its module.
    """
    found: dict[str, EventType] = {}
    for owner in pkgutil.iter_modules(contracts.__path__):
        if not owner.ispkg:
            continue
        package = importlib.import_module(f"contracts.{owner.name}")
        for version in pkgutil.iter_modules(package.__path__):
            if _VERSION.fullmatch(version.name):
                module = importlib.import_module(f"{package.__name__}.{version.name}")
                for name, payload in getattr(module, "EVENTS", {}).items():
                    _add(found, EventType(name, owner.name, version.name, payload))
    return dict(sorted(found.items()))


def _add(found: dict[str, EventType], event: EventType) -> None:
    if event.name in found:
        raise ValueError(f"{event.name} is in two modules")
    parts = event.name.split(".")
    if [parts[0], parts[1], parts[-1]] != ["trade", event.owner, event.version]:
        raise ValueError(f"{event.name} is in contracts.{event.owner}.{event.version}, which does not match its name")
    found[event.name] = event
