"""A clock that is wrong: what a machine without time synchronisation has."""

from datetime import datetime, timedelta

from chassis.clock import SystemClock


class ClockAhead(SystemClock):
    """The machine's clock, so many seconds ahead."""

    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._ahead
