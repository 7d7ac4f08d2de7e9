"""Whether a consumer gets on: lag without progress means that it hangs, whatever it says of itself."""

from chassis.clock import Clock

STALL_SECONDS = 45.0
"""How long nothing may be resolved while records wait."""


class Progress:
    """When a member last got on, and what is to be said of it since."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moved_at = 0.0

    def moved(self) -> None:
        """It got on, or had nothing to do, or was not to."""
        self._moved_at = self._clock.monotonic()

    @property
    def idle_seconds(self) -> float:
        return self._clock.monotonic() - self._moved_at

    @property
    def is_late(self) -> bool:
        """Whether it hangs, if there is work."""
        return self.idle_seconds >= STALL_SECONDS

    def stalled(self, *, in_hand: bool, waiting: int) -> str | None:
        """A sentence where there is work and no progress though it was started anew, None where all is well."""
        idle = self.idle_seconds
        if idle <= 2 * STALL_SECONDS:
            return None
        if in_hand:
            return f"a batch is in hand and was not resolved for {idle:.0f} s"
        return f"{waiting} records wait and none was resolved for {idle:.0f} s" if waiting else None
