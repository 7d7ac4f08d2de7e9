"""The parts of a service, as its `app.py` composes them. Nothing runs here: `chassis.service` starts and stops them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from grpc.aio import Channel, Server

from chassis import mongo
from chassis.aggregates import Aggregates, AggregateType, MongoDocuments
from chassis.broker import connections as kafka
from chassis.broker.consumer_group import Group
from chassis.clock import Clock, SystemClock
from chassis.delivery.policy import DeliveryPolicy
from chassis.delivery.subscriptions import RawSubscription, Subscription
from chassis.doors.answering import App, Otherwise
from chassis.doors.http_server import HttpServer
from chassis.parking.mongo import MongoParking
from chassis.publishing.publisher import Publisher
from chassis.rpc import Certificates, Right, connect
from chassis.rpc.identity import TokenSigner
from chassis.settings import HttpSettings, ServiceSettings
from chassis.waiting.attempts import Effect, Limits
from chassis.waiting.effects import Effects
from chassis.waiting.pending import PendingWork, Work
from chassis.waiting.timers import Passing, Timers
from contracts.topics import EVENT_TOPICS, SERVICES, Topic, inbox

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")
M = TypeVar("M")
W = TypeVar("W")


class AssembledTooLate(Exception):
    """Something was added after its consumer had been built, so it would never take effect."""


class Assembly:
    """The parts of one service, not started. Whatever is added once a `Service` has it raises `AssembledTooLate`."""

    def __init__(self, settings: ServiceSettings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.mongo = mongo.connect(settings.mongo)
        self.db = mongo.open_database(self.mongo, settings.database)
        self.publisher = Publisher(
            lambda: kafka.make_producer(settings.kafka),
            self.clock,
            source=f"/trade/{settings.name}",
            max_unsent=settings.kafka.max_unsent,
            max_unsent_seconds=settings.kafka.max_unsent_seconds,
        )
        self.parking = MongoParking(self.db, self.clock)
        self.signer = TokenSigner(settings.keys_dir, settings.name)
        self.certificates = Certificates(settings.tls) if settings.tls.used else None
        self.kafka_admin = kafka.Admin(settings.kafka)
        self.types: list[Aggregates[Any, Any, Any]] = []
        self.published: list[Topic] = []
        """The topics that its aggregates publish on."""
        self.preparations: list[Callable[[], Awaitable[None]]] = [self.parking.create_indexes]
        """Before doors open, in this order."""
        self.restorations: list[Callable[[], Awaitable[None]]] = []
        """After a rebuild, in this order."""
        self.loops: list[Callable[[], Awaitable[None]]] = []
        """Run concurrently for as long as the service runs."""
        self.registrations: list[Callable[[Server], None]] = []
        self.rights: dict[str, Right] = {}
        self.doors: list[HttpServer] = []
        self.channels: list[Channel] = []
        self._subscriptions: list[Subscription | RawSubscription] = []
        self._policy: DeliveryPolicy | None = None
        self._closed = False

    def close(self) -> None:
        """Nothing is added from here on: its life begins."""
        self._closed = True

    def _check_open(self, what: str) -> None:
        if self._closed:
            raise AssembledTooLate(f"{self.settings.name} has begun its life without {what}")

    def aggregates(self, type_: AggregateType[S, C, E], *, topic: Topic) -> Aggregates[S, C, E]:
        """The aggregates of one type, stored in this service's database and published on `topic`."""
        self._check_open(f"the aggregates {type_.name}")
        documents = MongoDocuments(self.db[type_.collection])
        aggregates = Aggregates(
            type_, documents, self.publisher, self.clock, topic=topic.name, epoch=self.settings.epoch
        )
        self.publisher.watch(aggregates)
        self.types.append(aggregates)
        self.on_start(lambda: documents.create_indexes(type_))
        if topic not in self.published:
            self.published.append(topic)
        return aggregates

    def subscribe(self, subscription: Subscription | RawSubscription) -> None:
        """Consume types of a topic, or a whole topic record by record.

        Raises:
            AssembledTooLate: also if the policy, the group or the topics were read before this call.
        """
        self._check_open(f"the subscription to {subscription.topic}")
        if self._policy is not None:
            raise AssembledTooLate(
                f"{self.settings.name} read its delivery policy before {subscription.topic} was subscribed to"
            )
        self._subscriptions.append(subscription)

    @property
    def policy(self) -> DeliveryPolicy:
        """The delivery policy over all subscriptions; `subscribe` raises from here on."""
        if self._policy is None:
            self._policy = DeliveryPolicy(self._subscriptions, self.parking, self.clock, build=self.settings.build)
        return self._policy

    @cached_property
    def group(self) -> Group:
        """The service's consumer group, over all that it subscribes to; `subscribe` raises from here on."""
        return Group(self.settings.kafka, self.kafka_admin, self.settings.name, self.policy.topics)

    @property
    def topics(self) -> list[Topic]:
        """The topics that it publishes on and reads, from the topics table."""
        known = {topic.name: topic for topic in EVENT_TOPICS}
        named = {topic.name: topic for topic in self.published}
        for name in self.policy.topics:
            named.setdefault(name, known.get(name) or inbox(name.removeprefix("inbox.")))
        return list(named.values())

    @property
    def own_topics(self) -> list[Topic]:
        """The topics that it creates: those of its events, and the inboxes that only it reads."""
        return [topic for topic in self.topics if topic.owner == self.settings.name or topic.owner not in SERVICES]

    def timers(self, aggregates: Aggregates[S, C, Any], passing: Callable[[S], Passing[C]]) -> None:
        """Apply the command of the deadline that passes to every aggregate whose `due_at` has passed."""
        self._check_open(f"the timers of {aggregates.type.name}")

        async def run() -> None:
            await Timers(
                aggregates,
                passing,
                progress=self.group,
                parking=self.parking,
                park_step=self.policy.park_step,
                server_time=lambda: mongo.server_time(self.mongo),
                clock=self.clock,
                topics=self.policy.topics,
            ).run()

        self.background(run)

    def pending(self, aggregates: Aggregates[S, C, Any], work: Work[S, C], *, name: str, batch: int = 100) -> None:
        """Do `work` for every aggregate whose `try_after` has passed, in batches."""
        self._check_open(f"the pending work {name}")

        async def park_step(target: str, step: str, error: Exception) -> None:
            await self.policy.park_step(target, step, error)

        worker = PendingWork(
            aggregates, work, parking=self.parking, park_step=park_step, clock=self.clock, batch=batch, name=name
        )
        self.background(worker.run)

    def effects(
        self, aggregates: Aggregates[S, C, Any], effect: Effect[S, C, M, W], limits: Limits
    ) -> Effects[S, C, M, W]:
        """Attempt `effect` for every aggregate whose `due_at` has passed; the result also takes first claims."""
        self._check_open(f"the effect {effect.name}")
        effects = Effects(aggregates, effect, limits, self.clock)
        self.background(effects.run)
        return effects

    def background(self, run: Callable[[], Awaitable[None]]) -> None:
        """Run for as long as the service runs; after an error it is restarted with a pause."""
        self._check_open("one of its loops")
        self.loops.append(run)

    def on_start(self, prepare: Callable[[], Awaitable[None]]) -> None:
        """Run once before doors open; retried while the database is unavailable."""
        self._check_open("one of its preparations")
        self.preparations.append(prepare)

    def on_rebuilt(self, restore: Callable[[], Awaitable[None]]) -> None:
        """Run once after a rebuild, to derive again what is derived from aggregates."""
        self._check_open("one of its restorations")
        self.restorations.append(restore)

    def grpc(self, register: Callable[[Server], None], *, rights: Mapping[str, Right]) -> None:
        """Serve gRPC methods; one without an entry in `rights` is refused."""
        self._check_open("some of its gRPC methods")
        self.registrations.append(register)
        self.rights |= rights

    def http(self, app: App, settings: HttpSettings, *, paths: Iterable[str], otherwise: Otherwise) -> None:
        """Serve an ASGI application; `paths` are its route templates, `otherwise` answers where it fails to."""
        self._check_open("one of its HTTP doors")
        server = HttpServer(app, settings, otherwise, paths=paths, overloaded=lambda: self.publisher.overloaded)
        self.doors.append(server)

    def peer(self, name: str, *, idempotent: Iterable[str] = ()) -> Channel:
        """A channel to another service, with deadline, retries, token and trace built in.

        `idempotent` names the methods that may be retried while the peer is unavailable.

        Raises:
            KeyError: the settings hold no address for this peer.
        """
        self._check_open(f"the channel to {name}")
        channel = connect(
            self.settings.peers[name], self.signer, audience=name, idempotent=idempotent, certificates=self.certificates
        )
        self.channels.append(channel)
        return channel
