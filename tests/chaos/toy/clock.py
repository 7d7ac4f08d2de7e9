"""A wrong clock, as on a machine without time synchronisation."""

from datetime import datetime, timedelta

from chassis.clock import SystemClock


class ClockAhead(SystemClock):
    """The machine's clock, so many seconds ahead."""

    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._ahead
