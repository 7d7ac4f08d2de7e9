"""Detects a hanging consumer: lag without progress."""

from chassis.clock import Clock

STALL_SECONDS = 45.0
"""How long records may wait without any being resolved."""


class Progress:
    """When a member last made progress."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moved_at = 0.0

    def moved(self) -> None:
        """It made progress, had no work, or was paused."""
        self._moved_at = self._clock.monotonic()

    @property
    def idle_seconds(self) -> float:
        return self._clock.monotonic() - self._moved_at

    @property
    def is_late(self) -> bool:
        """Whether it counts as hanging, provided that there is work."""
        return self.idle_seconds >= STALL_SECONDS

    def stalled(self, *, in_hand: bool, waiting: int) -> str | None:
        """A sentence if there is work and no progress even after a restart; otherwise None."""
        idle = self.idle_seconds
        if idle <= 2 * STALL_SECONDS:
            return None
        if in_hand:
            return f"a batch has been in progress for {idle:.0f} s"
        return f"{waiting} records wait and none was resolved for {idle:.0f} s" if waiting else None
