"""A service as a process: what `app.py` composes and `__main__.py` runs.

Starts in the order in which things are needed, stops in the order in which work drains: doors and
consumption first, then what is unsent, then connections. An absent broker or database delays the
start and never ends it; topics that differ from the topics table end it at once.
"""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import structlog
from grpc.aio import Channel, Server

from chassis import failpoints, kafka, logs, metrics, mongo, telemetry
from chassis.admin import AdminServer
from chassis.aggregates import Aggregates, AggregateType, MongoDocuments
from chassis.clock import Clock, SystemClock
from chassis.consumer import Consumer
from chassis.delivery import DeliveryPolicy
from chassis.epochs import EpochRefused, check_epoch, note_epoch
from chassis.failures import is_infrastructure
from chassis.http_server import HttpServer
from chassis.identity import TokenSigner, TokenVerifier
from chassis.instances import InstanceName
from chassis.outbox import Publisher
from chassis.parking_care import mind_parked
from chassis.parking_mongo import MongoParking
from chassis.parking_rpc import PARKING_RIGHTS, add_parking_service
from chassis.pending import PendingWork, Work
from chassis.rebuild import AheadOfTopic, EventsMissing, GroupStillRuns, Rebuild, read_topics, rewind
from chassis.rpc import GrpcServer, Right, connect
from chassis.settings import ListenSettings, ServiceSettings, load
from chassis.subscriptions import RawSubscription, Subscription
from chassis.timers import Timers
from contracts.topics import EVENT_TOPICS, Topic, inbox

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")
Settings = TypeVar("Settings", bound=ServiceSettings)

RETRY_SECONDS = 1.0
PARKED_SECONDS = 5.0
TOPICS_SECONDS = 20.0

log = structlog.get_logger(__name__)


class Service:
    """The parts of one service and their life."""

    def __init__(self, settings: ServiceSettings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self._mongo = mongo.connect(settings.mongo)
        self.db = mongo.open_database(self._mongo, settings.database)
        self.publisher = Publisher(
            lambda: kafka.make_producer(settings.kafka),
            self.clock,
            source=f"/trade/{settings.name}",
            max_unsent=settings.kafka.max_unsent,
            max_unsent_seconds=settings.kafka.max_unsent_seconds,
        )
        self.parking = MongoParking(self.db, self.clock)
        self.signer = TokenSigner(settings.keys_dir, settings.name)
        self._instance = InstanceName(self.db, settings.instance, self.clock)
        self._subscriptions: list[Subscription | RawSubscription] = []
        self._policy: DeliveryPolicy | None = None
        self._consumer: Consumer | None = None
        self._progress: kafka.GroupProgress | None = None
        self._types: list[Aggregates[Any, Any, Any]] = []
        self._published: list[Topic] = []
        self._rebuilt: list[Callable[[], Awaitable[None]]] = []
        self._prepare: list[Callable[[], Awaitable[None]]] = [self.parking.create_indexes]
        self._loops: list[Callable[[], Awaitable[None]]] = []
        self._registrations: list[Callable[[Server], None]] = []
        self._rights: dict[str, Right] = {}
        self._http: list[HttpServer] = []
        self._channels: list[Channel] = []
        self._ready = False
        self._topics_wrong = False

    # What `app.py` says.

    def aggregates(self, type_: AggregateType[S, C, E], *, topic: Topic) -> Aggregates[S, C, E]:
        """The aggregates of one type, stored in this service's database and published on `topic`."""
        documents = MongoDocuments(self.db[type_.collection])
        aggregates = Aggregates(
            type_, documents, self.publisher, self.clock, topic=topic.name, epoch=self.settings.epoch
        )
        self.publisher.watch(aggregates)
        self._types.append(aggregates)
        self.on_start(lambda: documents.create_indexes(type_.indexes))
        if topic not in self._published:
            self._published.append(topic)
        return aggregates

    def subscribe(self, subscription: Subscription | RawSubscription) -> None:
        """Consume types of a topic, or a whole topic record by record."""
        self._subscriptions.append(subscription)

    @property
    def policy(self) -> DeliveryPolicy:
        """The delivery policy over all subscriptions; none may be added afterwards."""
        if self._policy is None:
            self._policy = DeliveryPolicy(self._subscriptions, self.parking, self.clock, build=self.settings.build)
        return self._policy

    def timers(self, aggregates: Aggregates[S, C, Any], command: Callable[[S], C], *, name: str) -> None:
        """Hand `command` to every aggregate whose `due_at` has passed."""

        async def run() -> None:
            assert self._progress is not None  # noqa: S101 - set before any loop runs
            await Timers(
                aggregates,
                command,
                progress=self._progress,
                parking=self.parking,
                park_step=self.policy.park_step,
                server_time=lambda: mongo.server_time(self._mongo),
                clock=self.clock,
                topics=self.policy.topics,
                name=name,
            ).run()

        self.background(run)

    def pending(self, aggregates: Aggregates[S, C, Any], work: Work[S, C], *, name: str, batch: int = 100) -> None:
        """Do `work` for every aggregate whose `try_after` has passed, in batches."""

        async def park_step(target: str, step: str, error: Exception) -> None:
            await self.policy.park_step(target, step, error)

        worker = PendingWork(
            aggregates, work, parking=self.parking, park_step=park_step, clock=self.clock, batch=batch, name=name
        )
        self.background(worker.run)

    def background(self, run: Callable[[], Awaitable[None]]) -> None:
        """Run for the service's life; what raises is started again with a pause."""
        self._loops.append(run)

    def on_start(self, prepare: Callable[[], Awaitable[None]]) -> None:
        """Run once before doors open, again and again while the database is away."""
        self._prepare.append(prepare)

    def on_rebuilt(self, restore: Callable[[], Awaitable[None]]) -> None:
        """Run once after a rebuild: what is derived from aggregates is derived again."""
        self._rebuilt.append(restore)

    def grpc(self, register: Callable[[Server], None], *, rights: Mapping[str, Right]) -> None:
        """Serve gRPC methods; one without an entry in `rights` is refused."""
        self._registrations.append(register)
        self._rights |= rights

    def http(self, app: Any, listen: ListenSettings) -> None:
        """Serve an ASGI application."""
        self._http.append(HttpServer(app, listen))

    def peer(self, name: str, *, idempotent: Iterable[str] = ()) -> Channel:
        """A channel to another service: deadline, retries, token and trace are inside.

        `idempotent` names the methods that may be repeated while the peer is away for a moment.

        Raises:
            KeyError: the settings name no address for this peer.
        """
        channel = connect(self.settings.peers[name], self.signer, audience=name, idempotent=idempotent)
        self._channels.append(channel)
        return channel

    # Its life.

    async def run(self, stopping: asyncio.Event | None = None) -> None:
        """Run until `stopping` is set or the process is asked to end, then drain.

        Raises:
            chassis.kafka.TopicMismatch: the broker's topics are not what the topics table says.
            chassis.epochs.EpochRefused: the database was begun under another epoch.
        """
        stopping = stopping or _stop_signal()
        tracing = telemetry.configure(
            self.settings.name, self.settings.build, self.settings.instance, self.settings.otlp_endpoint
        )
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(tracing.shutdown)
            stack.push_async_callback(self._mongo.close)
            admin = AdminServer(
                self.settings.admin,
                live=[self._stalled],
                ready={"service": self._not_ready},
                development=self.settings.environment == "development",
            )
            await admin.start()
            stack.push_async_callback(admin.stop)
            opening = asyncio.create_task(self._open(stack))
            waiting = asyncio.create_task(stopping.wait())
            await asyncio.wait({opening, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await opening
            await waiting
            self._ready = False
            log.info("draining")
        log.info("stopped")

    async def rebuild(self) -> int:
        """Bring the database up to what the service published, then have all inputs read again.

        Every replica must be stopped. Returns the number of events folded.

        Raises:
            chassis.rebuild.EventsMissing: the topic itself has a hole.
            chassis.rebuild.AheadOfTopic: the topic has lost its tail.
            chassis.epochs.EpochRefused: the database was begun under a later epoch.
            KafkaError: the broker is away, or a replica still runs.
        """
        for prepare in self._prepare:
            await prepare()
        folding = Rebuild(self._types)
        async for records in read_topics(self.settings.kafka, [topic.name for topic in self._published]):
            await folding.fold(records)
            log.info("rebuilding", folded=folding.folded)
        folding.finish()
        await folding.check_tail()
        await note_epoch(self.db, self.settings.epoch)
        log.info("given_up_restored", lines=await self.policy.restore_given_up())
        for restore in self._rebuilt:
            await restore()
        if self.policy.topics:
            await rewind(self.settings.kafka, self.settings.name, self.policy.topics)
        await self._mongo.close()
        return folding.folded

    async def _open(self, stack: contextlib.AsyncExitStack) -> None:
        """Bring everything up, each with its way down."""
        await self._until_there(self._check_epoch)
        for prepare in self._prepare:
            await self._until_there(prepare)
        await self._until_there(self._check_topics)
        await self.publisher.start()
        stack.push_async_callback(self.publisher.stop, self.settings.drain_seconds)
        for channel in self._channels:
            stack.push_async_callback(channel.close)
        self._progress = kafka.GroupProgress(self.settings.kafka, self.settings.name, self.policy.topics)
        stack.push_async_callback(self._progress.stop)
        loops = [
            asyncio.create_task(self._for_ever(run)) for run in (*self._loops, self._mind_parked, self._mind_topics)
        ]
        stack.push_async_callback(_cancel, loops)
        server = self._grpc_server()
        await server.start()
        stack.push_async_callback(server.stop, self.settings.drain_seconds)
        await self._until_there(self._instance.take)
        if self._subscriptions:
            self._consumer = self._make_consumer()
            stack.push_async_callback(self._consumer.stop)
            await self._until_there(self._consumer.start)
        stepping_aside = asyncio.create_task(self._for_ever(self._step_aside))
        stack.push_async_callback(_cancel, [stepping_aside])
        for door in self._http:
            await door.start()
            stack.push_async_callback(door.stop)
        stack.push_async_callback(server.say_not_serving)
        self._ready = True
        log.info("ready", topics=self.policy.topics)

    def _grpc_server(self) -> GrpcServer:
        server = GrpcServer(
            self.settings.grpc,
            TokenVerifier(self.settings.keys_dir),
            audience=self.settings.name,
            rights={**self._rights, **PARKING_RIGHTS},
            reflection=self.settings.grpc_reflection,
        )
        for register in self._registrations:
            server.register(register)
        server.register(lambda raw: add_parking_service(raw, self.policy, self.parking))
        return server

    def _make_consumer(self) -> Consumer:
        settings = self.settings.kafka
        return Consumer(
            self.policy.process,
            topics=self.policy.topics,
            group=self.settings.name,
            instance=self.settings.instance,
            connection=kafka.faststream_options(settings),
            clock=self.clock,
            session_timeout_ms=settings.session_timeout_ms,
            max_records=settings.max_records,
            overloaded=lambda: self.publisher.overloaded,
        )

    async def _check_epoch(self) -> None:
        await check_epoch(self.db, self.settings.epoch, [each.type.collection for each in self._types])

    async def _check_topics(self) -> None:
        known = {topic.name: topic for topic in EVENT_TOPICS}
        named = {topic.name: topic for topic in self._published}
        for name in self.policy.topics:
            named.setdefault(name, known.get(name) or inbox(name.removeprefix("inbox.")))
        await kafka.check_topics(self.settings.kafka, self.settings.topic_profile, list(named.values()))

    async def _until_there(self, step: Callable[[], Awaitable[None]]) -> None:
        """Try a step of the start until what it needs is there."""
        while True:
            try:
                return await step()
            except Exception as error:
                if not is_infrastructure(error):
                    raise
                log.warning("start_waits", error=repr(error)[:300], retry_in=RETRY_SECONDS)
            await self.clock.sleep(RETRY_SECONDS)

    async def _for_ever(self, run: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await run()
            except Exception as error:
                known = is_infrastructure(error)
                log.log(30 if known else 40, "loop_failed", error=repr(error)[:300], exc_info=not known)
            await self.clock.sleep(RETRY_SECONDS)

    async def _step_aside(self) -> None:
        """Leave the group to the process that has this one's instance name; doors stay open, not ready."""
        await self._instance.until_lost()
        if self._consumer is not None:
            await self._consumer.stop()
        await asyncio.Event().wait()

    async def _mind_parked(self) -> None:
        while True:
            await mind_parked(self.parking, self.policy)
            await self.clock.sleep(PARKED_SECONDS)

    async def _mind_topics(self) -> None:
        """Tell of a topic that goes or changes while the service runs: the client library waits for it in silence."""
        while True:
            await self.clock.sleep(TOPICS_SECONDS)
            differences: list[str] = []
            try:
                await self._check_topics()
            except kafka.TopicMismatch as error:
                differences = str(error).splitlines()
                log.error("topics_wrong", differences=differences)
            metrics.TOPICS_WRONG.set(len(differences))
            if self._topics_wrong and not differences and self._consumer is not None:
                self._consumer.start_anew()
            self._topics_wrong = bool(differences)

    def _stalled(self) -> str | None:
        return self._consumer.stalled() if self._consumer and self._instance.lost is None else None

    async def _not_ready(self) -> str | None:
        """What is missing, in one sentence; None where all is there."""
        if not self._ready:
            return "starting or draining"
        if self._instance.lost is not None:
            return self._instance.lost
        if self._consumer is not None and not self._consumer.assigned:
            return "the consumer group has not given this member partitions"
        await self._mongo.admin.command("ping")
        return None


def _stop_signal() -> asyncio.Event:
    """Set by SIGTERM or Ctrl-C."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _calm_the_collector() -> None:
    """Have the garbage collector leave alone what was imported, and come less often.

    Batches make many objects that live for a moment and form no cycles: looking through all that is
    loaded for their sake took a quarter of a busy service's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def main(build: Callable[[Settings], Service], settings: type[Settings]) -> None:
    """Run a service as this process until it is asked to end; with the argument `rebuild`, rebuild its database.

    Exit status 2: the settings or arguments are wrong; 3: the broker's topics are; 4: the database does not fit them.
    """
    if sys.argv[1:] not in ([], ["rebuild"]):
        print("usage: python -m <service> [rebuild]", file=sys.stderr)
        sys.exit(2)
    loaded = load(settings)
    logs.configure(loaded.name, loaded.log_level, loaded.build)
    try:
        failpoints.arm(loaded.fail_points)
    except failpoints.NotArmed as error:
        print(f"TRADE_FAIL_POINTS: {error}", file=sys.stderr)
        sys.exit(2)
    log.info("starting", settings=loaded.model_dump(mode="json"))
    _calm_the_collector()

    async def run() -> None:
        # Clients bind to the running loop, so everything is built inside it.
        service = build(loaded)
        if sys.argv[1:]:
            log.info("rebuilt", events=await service.rebuild())
        else:
            await service.run()

    try:
        asyncio.run(run())
    except kafka.TopicMismatch as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    except (EpochRefused, AheadOfTopic, EventsMissing, GroupStillRuns) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(4)
