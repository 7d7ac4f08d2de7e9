"""The life of a service.

Starts parts in the order of their dependencies. Stops in the order in which work drains: doors and consumption first,
then unsent events, then connections. If the broker or database is unavailable, the start waits and retries; if the
broker's topics differ from the topics table, it fails at once.
"""

import asyncio
import contextlib

import structlog

from chassis.assembly import Assembly
from chassis.broker import connections as kafka
from chassis.broker.topic_check import TopicsCare, check_topics
from chassis.broker.topic_making import make_topics
from chassis.consuming.consumer import Consumer
from chassis.doors.admin import AdminServer
from chassis.doors.http_server import HttpServer
from chassis.explaining import explained
from chassis.grace import Grace
from chassis.mending.care import mind_parked
from chassis.mending.rpc import PARKING_RIGHTS, add_parking_service
from chassis.reaching_mongo import refusal_of
from chassis.recovery.epochs import check_epoch, note_epoch
from chassis.recovery.instances import InstanceName
from chassis.recovery.rebuild import Rebuild
from chassis.recovery.rereading import read_topics, rewind
from chassis.retrying import Start, for_ever
from chassis.rpc import GrpcServer
from chassis.rpc.identity import TokenVerifier
from chassis.tasks import cancel, stop_signal
from chassis.telemetry import span_provider

PARKED_SECONDS, NOTHING_PARKED_SECONDS = 5.0, 15.0
"""How often parked deliveries are checked: while there are any, and while there are none."""

log = structlog.get_logger(__name__)


class Service:
    """Starts, runs and stops what `app.py` has assembled."""

    def __init__(self, assembly: Assembly) -> None:
        assembly.close()
        self._parts = assembly
        self._settings = assembly.settings
        self._clock = assembly.clock
        self._instance = InstanceName(assembly.db, assembly.settings.instance, assembly.clock)
        self._grace = Grace(assembly.settings.drain_seconds, assembly.clock)
        self._consumer: Consumer | None = None
        self._ready = False
        self._start = Start(assembly.clock, lambda: explained(assembly.settings.kafka, assembly.mongo))

    async def run(self, stopping: asyncio.Event | None = None) -> None:
        """Run until `stopping` is set or the process is told to stop, then drain.

        Raises:
            chassis.broker.topic_check.TopicMismatch: the broker's topics differ from the topics table.
            chassis.recovery.epochs.EpochRefused: the database belongs to another epoch.
        """
        stopping = stopping or stop_signal()
        exporting = span_provider.configure(
            self._settings.name,
            self._settings.build,
            self._settings.instance,
            self._settings.otlp_endpoint,
            self._settings.traces_per_second,
        )
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(exporting.shutdown)
            stack.push_async_callback(self._parts.mongo.close)
            admin = AdminServer(
                self._settings.admin,
                live=[self._stalled],
                ready={"service": self._not_ready},
                development=self._settings.environment == "development",
            )
            await admin.start()
            stack.push_async_callback(admin.stop)
            opening = asyncio.create_task(self._open(stack))
            waiting = asyncio.create_task(stopping.wait())
            await asyncio.wait({opening, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                await cancel([opening])
            with contextlib.suppress(asyncio.CancelledError):
                await opening
            await waiting
            self._grace.begin()
            self._ready = False
            log.info("draining")
        log.info("stopped")

    async def prepare(self) -> list[str]:
        """Create missing indexes of its database and missing topics that it owns; returns the topics created.

        Idempotent, and safe while replicas of this or the previous release run, because nothing is removed. Waits while
        the broker or the database is unavailable.

        Raises:
            chassis.broker.topic_making.TopicsRefused: the broker refuses to create them.
        """
        for prepare in self._parts.preparations:
            await self._start.until_there(prepare)
        topics, settings = self._parts.own_topics, self._settings
        await self._start.until_there(lambda: make_topics(settings.kafka, topics, settings.topic_profile))
        await self._parts.mongo.close()
        return [topic.name for topic in topics]

    async def rebuild(self) -> int:
        """Restore the database from the service's published events, then rewind its group to read all inputs again.

        Every replica must be stopped. Returns the number of events folded.

        Raises:
            chassis.recovery.rebuild.EventsMissing: the topic has a gap.
            chassis.recovery.rebuild.AheadOfTopic: the topic has lost its latest events.
            chassis.recovery.epochs.EpochRefused: the database belongs to a later epoch.
            KafkaError: the broker is unavailable, or a replica still runs.
        """
        for prepare in self._parts.preparations:
            await prepare()
        folding = Rebuild(self._parts.types)
        async for records in read_topics(self._settings.kafka, [topic.name for topic in self._parts.published]):
            await folding.fold(records)
            log.info("rebuilding", folded=folding.folded)
        folding.finish()
        await folding.check_tail()
        await note_epoch(self._parts.db, self._settings.epoch)
        log.info("given_up_restored", lines=await self._parts.policy.restore_given_up())
        for restore in self._parts.restorations:
            await restore()
        if self._parts.policy.topics:
            await rewind(self._settings.kafka, self._settings.name, self._parts.policy.topics)
        await self._parts.mongo.close()
        return folding.folded

    async def _open(self, stack: contextlib.AsyncExitStack) -> None:
        """Start every part, and register how to stop it."""
        await self._start.until_there(self._check_epoch)
        stack.push_async_callback(self._parts.kafka_admin.stop)
        for prepare in self._parts.preparations:
            await self._start.until_there(prepare)
        await self._start.until_there(self._check_topics)
        if self._parts.published:  # a read model's user has no right to write, and the broker would refuse its producer
            await self._parts.publisher.start()
            stack.push_async_callback(lambda: self._parts.publisher.stop(self._grace.left()))
        for channel in self._parts.channels:
            stack.push_async_callback(channel.close)
        stack.push_async_callback(self._parts.group.stop)
        loops = [
            asyncio.create_task(for_ever(run, self._clock))
            for run in (*self._parts.loops, self._mind_parked, self._topics_care().run)
        ]
        stack.push_async_callback(cancel, loops)
        server = self._grpc_server()
        await server.start()
        stack.push_async_callback(lambda: server.stop(self._grace.left()))
        await self._start.until_there(self._instance.take)
        if self._parts.policy.topics:
            self._consumer = consumer = self._make_consumer()
            stack.push_async_callback(lambda: consumer.stop(self._grace.left()))
            await self._start.until_there(consumer.start)
        stepping_aside = asyncio.create_task(for_ever(self._step_aside, self._clock))
        stack.push_async_callback(cancel, [stepping_aside])
        for door in self._parts.doors:
            await door.start()
            stack.push_async_callback(self._stop_door, door)
        stack.push_async_callback(server.say_not_serving)
        self._ready = True
        log.info("ready", topics=self._parts.policy.topics)

    async def _stop_door(self, door: HttpServer) -> None:
        await door.stop(self._grace.left())

    def _grpc_server(self) -> GrpcServer:
        server = GrpcServer(
            self._settings.grpc,
            TokenVerifier(self._settings.keys_dir),
            audience=self._settings.name,
            rights={**self._parts.rights, **PARKING_RIGHTS},
            reflection=self._settings.grpc_reflection,
            overloaded=lambda: self._parts.publisher.overloaded,
            certificates=self._parts.certificates,
        )
        for register in self._parts.registrations:
            server.register(register)
        server.register(lambda raw: add_parking_service(raw, self._parts.policy, self._parts.parking))
        return server

    def _make_consumer(self) -> Consumer:
        settings = self._settings.kafka
        return Consumer(
            self._parts.policy.process,
            topics=self._parts.policy.topics,
            group=self._settings.name,
            instance=self._settings.instance,
            connection=kafka.faststream_options(settings),
            clock=self._clock,
            session_timeout_ms=settings.session_timeout_ms,
            max_records=settings.max_records,
            overloaded=lambda: self._parts.publisher.overloaded,
            on_assigned=self._parts.policy.look_anew,
        )

    def _topics_care(self) -> TopicsCare:
        return TopicsCare(
            self._check_topics,
            self._parts.group,
            self._settings.topic_profile,
            start_anew=self._start_consumer_anew,
            clock=self._clock,
        )

    def _start_consumer_anew(self) -> None:
        if self._consumer is not None:
            self._consumer.start_anew()

    async def _check_epoch(self) -> None:
        await check_epoch(self._parts.db, self._settings.epoch, [each.type.collection for each in self._parts.types])

    async def _check_topics(self) -> None:
        await check_topics(self._parts.kafka_admin, self._settings.topic_profile, self._parts.topics)

    async def _step_aside(self) -> None:
        """Leave the group when another process has taken this instance name; doors stay open, not ready."""
        await self._instance.until_lost()
        if self._consumer is not None:
            await self._consumer.stop()
        await asyncio.Event().wait()

    async def _mind_parked(self) -> None:
        while True:
            some = await mind_parked(self._parts.parking, self._parts.policy)
            await self._clock.sleep(PARKED_SECONDS if some else NOTHING_PARKED_SECONDS)

    def _stalled(self) -> str | None:
        return self._consumer.stalled() if self._consumer and self._instance.lost is None else None

    async def _not_ready(self) -> str | None:
        """Why the service is not ready, in one sentence; None if it is ready."""
        if self._start.waits_for is not None:
            return f"the start waits: {self._start.waits_for}"
        if not self._ready:
            return "starting or draining"
        if self._instance.lost is not None:
            return self._instance.lost
        if self._consumer is not None and not self._consumer.assigned:
            return "the consumer group has not assigned this member any partitions"
        return await refusal_of(self._parts.mongo)
