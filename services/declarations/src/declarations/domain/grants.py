"""What a partner may report on: its grants, as the gateway stamps them on each of its events."""

from dataclasses import dataclass

from values.identifiers import Identifier


@dataclass(frozen=True, slots=True)
class GrantedPlace:
    unlocode: str
    facility: str | None = None
    """The one facility meant; None: every one of the place."""


@dataclass(frozen=True, slots=True)
class Grants:
    """Given by staff; a snapshot of the moment when the event came in."""

    places: tuple[GrantedPlace, ...] = ()
    customs_offices: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    carriers: tuple[Identifier, ...] = ()
    """Registry numbers that a carrier acts under."""
