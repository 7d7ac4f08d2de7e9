"""One life of the toy: its production parts as `chassis.service` puts them together, on ports in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, cast

from chaos.simulation.broker import SESSION_SECONDS, Broker, Member, Producer, Progress
from chaos.simulation.database import Database, Server
from chaos.simulation.schedule import Network, Process, ProcessClock
from chaos.toy.aggregates import LETTER, counter_type, subscriptions
from chaos.toy.domain import PassDeadline, Rules
from chaos.toy.doors import Door, Peer, ask
from chaos.toy.post import letter_effect, limits
from pymongo.errors import AutoReconnect

from chassis.aggregates import Aggregates, MongoDocuments
from chassis.consuming.consumer import Consumer
from chassis.delivery.policy import DeliveryPolicy
from chassis.doors.admission import Admission
from chassis.failures import is_infrastructure
from chassis.mending.care import mind_parked
from chassis.parking.mongo import MongoParking
from chassis.publishing.publisher import Publisher
from chassis.settings import DoorSettings
from chassis.waiting.effects import Effects
from chassis.waiting.pending import PendingWork
from chassis.waiting.timers import Passing, Timers

GROUP, ORDERS, EVENTS = "toy", "inbox.toy", "toys.toy.v1"
RETRY_SECONDS = 1.0


class Surroundings:
    """What outlives every replica."""

    def __init__(self, network: Network, take_letter: Callable[[str], None]) -> None:
        self.network = network
        self.server = Server()
        self.broker = Broker(network, [EVENTS, ORDERS])
        self.take_letter = take_letter
        self.mended = False


class SimulatedConsumer(Consumer):
    """The consumer as it is, on a member in memory in place of the client library's."""

    def __init__(self, around: Surroundings, process: Process, *args: Any, **settings: Any) -> None:
        self._around = around
        self._process_ = process
        super().__init__(*args, **settings)

    def _build(self) -> tuple[Any, Any]:
        member = Member(
            self._process_.name.partition("#")[0], self._process_, self._around.broker, self._on_batch, listener=self
        )
        return _Client(member), _Client(member)


class _Client:
    """FastStream's broker and subscriber, as far as the consumer asks them."""

    def __init__(self, member: Member) -> None:
        self.consumer = member

    async def start(self) -> None:
        await self.consumer.join()
        self._tasks = [
            asyncio.ensure_future(self.consumer.poll_for_ever()),
            asyncio.ensure_future(self.consumer.beat_for_ever()),
        ]

    async def stop(self) -> None:
        self.consumer.stopped = True
        self.consumer.broker.leave(self.consumer)


class Replica:
    """One process of the toy, from its start to its death."""

    def __init__(self, name: str, around: Surroundings) -> None:
        network = around.network
        self.around = around
        self.process = Process(name, network)
        self.clock = ProcessClock(self.process, network)
        self.database = cast("Any", Database(around.server, self.process, network))
        self.parking = MongoParking(self.database, self.clock)
        self.publisher = Publisher(lambda: Producer(around.broker, self.process), self.clock, source="/trade/toy")
        self.counters = self._aggregates(counter_type(Rules(lambda: around.mended)))
        self.letters = self._aggregates(LETTER)
        self.policy = DeliveryPolicy(
            subscriptions(ORDERS, EVENTS, self.counters, self.letters), self.parking, self.clock, build="simulated"
        )
        self.door = Door(self.counters)
        self.admission = Admission("simulated", DoorSettings(port=0), lambda: self.publisher.overloaded)
        self.consumer = SimulatedConsumer(
            around,
            self.process,
            self.policy.process,
            topics=self.policy.topics,
            group=GROUP,
            instance=name,
            connection={},
            clock=self.clock,
            session_timeout_ms=int(SESSION_SECONDS * 1000),
            overloaded=lambda: self.publisher.overloaded,
            on_assigned=self.policy.look_anew,
        )
        self.tasks: list[asyncio.Task[None]] = []

    def _aggregates(self, type_: Any) -> Aggregates[Any, Any, Any]:
        aggregates: Aggregates[Any, Any, Any] = Aggregates(
            type_, MongoDocuments(self.database[type_.collection]), self.publisher, self.clock, topic=EVENTS
        )
        self.publisher.watch(aggregates)
        return aggregates

    def start(self) -> None:
        self.tasks.append(asyncio.ensure_future(self._run()))

    async def _run(self) -> None:
        await self.publisher.start()
        pending = PendingWork(
            self.counters,
            Peer(_Peer(self)),  # type: ignore[arg-type]
            parking=self.parking,
            park_step=self.policy.park_step,
            clock=self.clock,
            name="question",
        )
        timers = Timers(
            self.counters,
            lambda _: Passing("bill", PassDeadline()),
            progress=Progress(self.around.broker, self.process),
            parking=self.parking,
            park_step=self.policy.park_step,
            server_time=self._server_time,
            clock=self.clock,
            topics=self.policy.topics,
        )
        effect = letter_effect(self._send, f"service:toy/{self.process.name}")
        sending = Effects(self.letters, effect, limits(claim_seconds=3.0), self.clock)
        for run in (pending.run, timers.run, sending.run, self._mind_parked):
            self.tasks.append(asyncio.ensure_future(self._for_ever(run)))
        await self._until_there(self.consumer.start)

    async def _for_ever(self, run: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await run()
            except Exception as error:
                self.around.network.note(f"{self.process.name}: {error!r}")
            await self.clock.sleep(RETRY_SECONDS)

    async def _until_there(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                return await step()
            except Exception as error:
                if not is_infrastructure(error):
                    raise
            await self.clock.sleep(RETRY_SECONDS)

    async def _mind_parked(self) -> None:
        while True:
            await mind_parked(self.parking, self.policy)
            await self.clock.sleep(5.0)

    async def _server_time(self) -> datetime:
        network = self.around.network
        return await network.call(self.process, "ask time", network.now, AutoReconnect)

    async def _send(self, id_: str) -> None:
        await self.around.network.call(
            self.process, f"hand over {id_}", lambda: self.around.take_letter(id_), ConnectionResetError
        )


class _Peer:
    """The channel to the peer."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def unary_unary(self, *_: Any, **__: Any) -> Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]:
        async def call(request: Mapping[str, Any]) -> Mapping[str, Any]:
            answer = await ask(request, None)
            return await self._replica.around.network.call(
                self._replica.process, "ask the peer", lambda: answer, ConnectionResetError
            )

        return call
