"""What can be wrong with a submission, as values: every door says it the same way.

A fault names a place, a stable code and what stands in the text of that code. Texts come from the
catalogue, under `gateway.<code>`; nothing here knows HTTP or Kafka. Whatever was sent, no value and no
name of a field is repeated at more than so many characters: they are cut where a fault is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from values.faults import SHOWN, shortened


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong at one place."""

    code: str
    """Stable, lower case with dots: `field.required`."""
    pointer: str = ""
    """JSON pointer into the submission; for XML the path of the element."""
    values: Mapping[str, object] = field(default_factory=dict)
    """What the text of the code names."""
    value: str | None = None
    """What stood there, shortened; absent where it could be personal data."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pointer", cut_names(self.pointer))
        object.__setattr__(self, "values", _cut(self.values))
        object.__setattr__(self, "value", None if self.value is None else shortened(self.value))


class Refused(Exception):
    """A submission that is not taken, with every reason at once."""

    def __init__(self, problem: str, faults: Sequence[Fault] = (), **values: object) -> None:
        super().__init__(problem, *(f"{fault.pointer}: {fault.code}" for fault in faults))
        self.problem = problem
        """Stable code of the kind of refusal: `invalid-event`, `submission-conflict` …"""
        self.faults = tuple(faults)
        self.values = _cut(values)
        """What the text of the problem names."""


def cut_names(pointer: str) -> str:
    """A pointer or path with each of its names cut."""
    return pointer if len(pointer) <= SHOWN else "/".join(shortened(name) for name in pointer.split("/"))


def _cut(values: Mapping[str, object]) -> dict[str, object]:
    return {name: shortened(value) if isinstance(value, str) else value for name, value in values.items()}
