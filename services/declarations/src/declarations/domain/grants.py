"""A partner's grants, as the gateway stamps them on each of its events."""

from dataclasses import dataclass

from values.identifiers import Identifier, compact
from values.places import GrantedPlace


@dataclass(frozen=True, slots=True)
class Grants:
    """Given by staff, codes in normal form; a snapshot at the time of receipt."""

    places: tuple[GrantedPlace, ...] = ()
    customs_offices: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    carriers: tuple[Identifier, ...] = ()
    """Registry numbers that a carrier acts under."""

    def __post_init__(self) -> None:
        for name in ("customs_offices", "agencies"):
            object.__setattr__(self, name, tuple(compact(each) for each in getattr(self, name)))
