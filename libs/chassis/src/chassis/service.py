"""A service as a process: what `app.py` composes and `__main__.py` runs.

Starts in the order in which things are needed, stops in the order in which work drains: doors and
consumption first, then what is unsent, then connections. Everything it owns stands here, so that a
service's `app.py` is a list of what it subscribes to and serves.
"""

from typing import TypeVar

import structlog

from chassis import kafka, mongo
from chassis.clock import Clock, SystemClock
from chassis.settings import ServiceSettings

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")
Settings = TypeVar("Settings", bound=ServiceSettings)

log = structlog.get_logger(__name__)


class Service:
    """The parts of one service and their life."""

    def __init__(self, settings: ServiceSettings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self._mongo = mongo.connect(settings.mongo)
        self.db = mongo.open_database(self._mongo, settings.mongo.database)
        from chassis.outbox import Publisher  # noqa: PLC0415

        self.publisher = Publisher(
            lambda: kafka.make_producer(settings.kafka),
            self.clock,
            source=f"/trade/{settings.name}",
            max_unsent=settings.kafka.max_unsent,
            max_unsent_seconds=settings.kafka.max_unsent_seconds,
        )
