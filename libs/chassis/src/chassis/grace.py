"""The time limit of a stop, shared by all parts that are stopped.

Keeps: parts that are stopped one after the other all end within one limit, whichever of them is slow. With a limit for
each part, the sum could exceed the time after which the process is killed.
"""

from chassis.clock import Clock

LEAST_SECONDS = 0.5
"""The minimum for each part, so that it can at least disconnect."""


class Grace:
    """One time limit, which runs from `begin`."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._ends: float | None = None

    def begin(self) -> "Grace":
        """Start the limit, unless it runs already."""
        if self._ends is None:
            self._ends = self._clock.monotonic() + self._seconds
        return self

    def left(self) -> float:
        """Seconds that the next part may take; the whole limit if it has not begun."""
        if self._ends is None:
            return self._seconds
        return max(LEAST_SECONDS, self._ends - self._clock.monotonic())
