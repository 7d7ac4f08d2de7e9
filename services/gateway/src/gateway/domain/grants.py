"""What a partner may report on, as a value: places, customs offices, agencies, a carrier's numbers.

Always in normal form and sorted, so that equal grants are equal values; granting and revoking are
union and difference.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from values.identifiers import Identifier, compact
from values.places import GrantedPlace


@dataclass(frozen=True, slots=True)
class Grants:
    places: tuple[GrantedPlace, ...] = ()
    customs_offices: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    carriers: tuple[Identifier, ...] = ()
    """Registry numbers that a carrier acts under."""

    def __post_init__(self) -> None:
        for name in ("customs_offices", "agencies"):
            object.__setattr__(self, name, tuple(compact(each) for each in getattr(self, name)))
        for field in fields(self):
            object.__setattr__(self, field.name, _sorted(getattr(self, field.name)))

    @property
    def kinds(self) -> frozenset[str]:
        """The fields that are not empty."""
        return frozenset(field.name for field in fields(self) if getattr(self, field.name))

    def __len__(self) -> int:
        return sum(len(getattr(self, field.name)) for field in fields(self))

    def __or__(self, other: "Grants") -> "Grants":
        return Grants(**{name: (*mine, *theirs) for name, mine, theirs in self._beside(other)})

    def __sub__(self, other: "Grants") -> "Grants":
        return Grants(
            **{name: tuple(each for each in mine if each not in theirs) for name, mine, theirs in self._beside(other)}
        )

    def _beside(self, other: "Grants") -> list[tuple[str, tuple[Any, ...], tuple[Any, ...]]]:
        return [(field.name, getattr(self, field.name), getattr(other, field.name)) for field in fields(self)]


def _sorted(values: Iterable[Any]) -> tuple[Any, ...]:
    """Without repeats, in order of their text."""
    return tuple(sorted(set(values), key=str))


NOTHING = Grants()
"""The grants of a newly registered partner."""
