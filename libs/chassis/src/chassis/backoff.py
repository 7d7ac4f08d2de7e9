"""Pauses between attempts: longer each time, and never the same for two that failed together."""

import random
from dataclasses import dataclass, field


def jittered(seconds: float, spread: float) -> float:
    """`seconds`, by chance up to the share `spread` of it shorter or longer."""
    return seconds * random.uniform(1 - spread, 1 + spread)  # noqa: S311 - jitter, not a secret


@dataclass(slots=True)
class Backoff:
    """Pauses that double from `first` up to `longest` seconds, each by chance up to the share `spread` shorter."""

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
        """It worked: begin with the first pause again."""
        self._next = self.first
