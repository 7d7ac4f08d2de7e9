"""Pauses between attempts: exponential, with jitter, so that callers that failed together do not retry together."""

import random
from dataclasses import dataclass, field


def jittered(seconds: float, spread: float) -> float:
    """`seconds`, randomly shortened or lengthened by up to the fraction `spread`."""
    return seconds * random.uniform(1 - spread, 1 + spread)  # noqa: S311 - jitter, not a secret


@dataclass(slots=True)
class Backoff:
    """Pauses that double from `first` to `longest` seconds, each randomly shortened by up to the fraction `spread`."""

    first: float
    longest: float
    spread: float = 0.5
    _next: float = field(init=False)

    def __post_init__(self) -> None:
        self._next = self.first

    def pause(self) -> float:
        """How long to wait before the next attempt, in seconds."""
        seconds, self._next = self._next, min(self._next * 2, self.longest)
        return seconds * random.uniform(1 - self.spread, 1)  # noqa: S311 - jitter, not a secret

    def reset(self) -> None:
        """Start over with the first pause, after a success."""
        self._next = self.first
