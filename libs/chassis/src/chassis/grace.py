"""The time that a stop may take, shared by everything that is stopped.

Keeps: parts that are stopped one after the other end together within one span, whichever of them takes long; a span
for each would add up past the moment at which whoever asked for the stop kills the process.
"""

from chassis.clock import Clock

LEAST_SECONDS = 0.5
"""What a part is given when nothing is left, so that it can at least disconnect."""


class Grace:
    """One span, which runs from `begin` on."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._ends: float | None = None

    def begin(self) -> "Grace":
        """Let the span run; it runs only once."""
        if self._ends is None:
            self._ends = self._clock.monotonic() + self._seconds
        return self

    def left(self) -> float:
        """Seconds that the next part may take: the whole span before it runs."""
        if self._ends is None:
            return self._seconds
        return max(LEAST_SECONDS, self._ends - self._clock.monotonic())
