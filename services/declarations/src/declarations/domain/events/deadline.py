"""What all deadlines have in common when they pass; the event of each stands beside its row in `deadlines`."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """A deadline has passed, whether or not it was met."""

    deadline: ClassVar[str]
    """Name of the row in `deadlines`."""
