"""A service as a process: what `app.py` composes and `__main__.py` runs.

Starts in the order in which things are needed, stops in the order in which work drains: doors and
consumption first, then what is unsent, then connections. Everything it owns stands here, so that a
service's `app.py` is a list of what it subscribes to and serves.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import grpc
import structlog
import uvicorn
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from chassis import kafka, logs, metrics, mongo, telemetry
from chassis.admin import AdminServer
from chassis.aggregates import Aggregates, AggregateType, MongoDocuments
from chassis.clock import Clock, SystemClock
from chassis.consumer import Consumer
from chassis.delivery import DeliveryPolicy, RawSubscription, Subscription
from chassis.parking import MongoParking
from chassis.parking_rpc import add_parking_service
from chassis.pending import PendingWork, Work
from chassis.rpc import GrpcServer, TokenSigner, connect
from chassis.settings import ListenSettings, ServiceSettings, load
from chassis.timers import Timers
from contracts.topics import EVENT_TOPICS, Topic

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
