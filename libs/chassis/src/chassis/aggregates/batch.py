"""The inputs of one call, grouped by target in order, and their outcomes.

Keeps: every input has one outcome; after a failed input, later ones of its target count as not attempted.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

from chassis.aggregates.model import Blocked, Failed, Input, Outcome

S = TypeVar("S")
C = TypeVar("C")


class Batch(Generic[S, C]):
    """Inputs, by target."""

    def __init__(self, inputs: Sequence[Input[C]]) -> None:
        self._inputs = inputs
        self._places: dict[str, list[int]] = {}
        for place, input_ in enumerate(inputs):
            self._places.setdefault(input_.target, []).append(place)
        self.outcomes: list[Outcome[S]] = [Blocked()] * len(inputs)
        """One per input, in the order of the call."""
        self.targets = list(self._places)
        """The targets that remain to be applied."""

    def of(self, target: str) -> list[Input[C]]:
        """The inputs of one target."""
        return [self._inputs[place] for place in self._places[target]]

    def end(self, target: str, outcomes: Sequence[Outcome[S]]) -> None:
        """Record the outcomes of one target, one per input."""
        for place, outcome in zip(self._places[target], outcomes, strict=True):
            self.outcomes[place] = outcome

    def fail(self, target: str, error: Exception) -> None:
        """Record that the first input of a target failed and the later ones were not attempted."""
        self.end(target, [Failed(error), *[Blocked()] * (len(self._places[target]) - 1)])
