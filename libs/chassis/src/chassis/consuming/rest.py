"""The pause of a consumer while infrastructure is unavailable: nothing is read and nothing is lost.

Keeps: unresolved records are read again before any others; polling continues, so that the group sees a live member.
Pauses get longer until something is resolved.
"""

import contextlib
from collections.abc import Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from chassis.backoff import Backoff
from chassis.clock import Clock
from chassis.consuming.reader import Reader
from chassis.delivery import RawRecord, first_of_each

log = structlog.get_logger(__name__)

BACKOFF_SECONDS = (0.4, 30.0)


class Rest:
    """The pause of one group member, over all its partitions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._backoff = Backoff(*BACKOFF_SECONDS)
        self._until: float | None = None

    @property
    def lasts(self) -> bool:
        """Whether consumption is paused."""
        return self._until is not None

    @property
    def is_over(self) -> bool:
        """Whether the pause may end."""
        return self._until is not None and self._clock.monotonic() >= self._until

    def begin(self, consumer: Reader, back_to: Sequence[RawRecord], why: str) -> None:
        """Seek back to the first of these records in each partition, and pause."""
        pause = self._backoff.pause()
        assigned = consumer.assignment()
        with contextlib.suppress(IllegalStateError):  # the partition was revoked: its new owner reads the records
            for (topic, number), offset in first_of_each(back_to).items():
                partition = TopicPartition(topic, number)
                if partition in assigned:
                    consumer.seek(partition, offset)
            consumer.pause(*assigned)
        self._until = self._clock.monotonic() + pause
        log.info("consumption_rests", why=why, seconds=round(pause, 2))

    def end(self, consumer: Reader) -> None:
        """Resume reading."""
        consumer.resume(*consumer.paused())
        self._until = None

    def forget(self) -> None:
        """Partitions were reassigned, and none is paused."""
        self._until = None

    def resolved(self) -> None:
        """Something was resolved: the next pause is short again."""
        self._backoff.reset()
