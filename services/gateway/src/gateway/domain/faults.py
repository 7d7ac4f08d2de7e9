"""Faults of a submission as values, the same over HTTP and Kafka.

A fault has a pointer, a stable code and the parameters of the code's text. Texts come from the
catalogue, under `gateway.<code>`; nothing here depends on HTTP or Kafka. Values and field names from
the submission are shortened when a fault is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from values.faults import SHOWN, shortened


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at one place of a submission."""

    code: str
    """Stable, lower case with dots: `field.required`."""
    pointer: str = ""
    """JSON pointer into the submission; for XML the path of the element."""
    values: Mapping[str, object] = field(default_factory=dict)
    """Parameters of the code's text."""
    value: str | None = None
    """The faulty value, shortened; None if it could be personal data."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pointer", cut_names(self.pointer))
        object.__setattr__(self, "values", _cut(self.values))
        object.__setattr__(self, "value", None if self.value is None else shortened(self.value))


class Refused(Exception):
    """A refused submission or request, with all its faults."""

    def __init__(self, problem: str, faults: Sequence[Fault] = (), **values: object) -> None:
        super().__init__(problem, *(f"{fault.pointer}: {fault.code}" for fault in faults))
        self.problem = problem
        """Stable code of the kind of refusal: `invalid-event`, `submission-conflict` …"""
        self.faults = tuple(faults)
        self.values = _cut(values)
        """Parameters of the problem's text."""


def cut_names(pointer: str) -> str:
    """A pointer or path with each of its names shortened."""
    return pointer if len(pointer) <= SHOWN else "/".join(shortened(name) for name in pointer.split("/"))


def _cut(values: Mapping[str, object]) -> dict[str, object]:
    return {name: shortened(value) if isinstance(value, str) else value for name, value in values.items()}
