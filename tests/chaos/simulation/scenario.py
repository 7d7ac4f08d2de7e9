"""One seed: a load, a storm of crashes, freezes and losses, a calm, staff who redrive; then the judge.

start ─▶ storm: orders, payments, doors; replicas die, freeze, lose answers ─▶ calm
      ─▶ [the database is lost or becomes an older copy, and is rebuilt] ─▶ rest
      ─▶ the mended build: redrive and discard, beside new orders ─▶ rest ─▶ judge
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from chaos.judging.verdicts import Verdict
from chaos.judging.world import World, said_of, stored_of
from chaos.simulation.client import Client
from chaos.simulation.replica import EVENTS, GROUP, ORDERS, Replica, Surroundings
from chaos.simulation.schedule import Network, Stalled, VirtualLoop
from chaos.simulation.tracing import Spans, collected
from chaos.toy import checks
from chaos.toy.fates import Fates
from chaos.toy.judging import judge_world
from chaos.toy.oracle import Oracle

from chassis.aggregates import apply
from chassis.recovery.rebuild import AheadOfTopic, EventsMissing, Rebuild

BACKUP_SECONDS = (2.0, 6.0)
REST_SECONDS = 90.0
LOOK_SECONDS = 0.5
LINES = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one seed ended."""

    seed: int
    verdicts: Sequence[Verdict]
    digest: str
    """Of everything that happened: the same for the same seed."""
    calls: int
    seconds: float
    """Virtual ones."""

    @property
    def red(self) -> set[int]:
        """Numbers of the invariants that were broken."""
        return {each.number for each in self.verdicts if each.faults}


def play(seed: int, *, say: Callable[[str], None] | None = None) -> Outcome:
    """Run one seed from its beginning to its verdicts."""
    loop = VirtualLoop()
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        stack.enter_context(_short_histories())
        stack.enter_context(_own_chance(seed))
        spans = stack.enter_context(collected())
        scenario = Scenario(loop, seed, spans, say)
        try:
            verdicts = loop.run_until_complete(scenario.run())
        finally:
            _end(loop)
    return Outcome(seed, verdicts, scenario.network.digest, scenario.network.calls, round(loop.time(), 1))


class Scenario:
    """Everything of one seed."""

    def __init__(self, loop: VirtualLoop, seed: int, spans: Spans, say: Callable[[str], None] | None) -> None:
        self.network = Network(loop, seed, say=say)
        self.chance = random.Random(f"scenario {seed}")
        self.spans = spans
        self.oracle = Oracle()
        self.around = Surroundings(self.network, lambda id_: self.oracle.letters.append((id_, self.network.now())))
        self.replicas: dict[str, Replica] = {}
        self.lives = 0
        self.faults_meanwhile: list[str] = []
        self.backup: Any = None
        self.loses = self.chance.choice(["", "", "", "lost", "restored"])
        self.client = Client(self, seed)
        loop.set_exception_handler(lambda _, context: self.network.note(f"unexpected: {context.get('exception')!r}"))
        self._watching: list[asyncio.Task[Any]] = []

    @property
    def live(self) -> list[Replica]:
        return [each for each in self.replicas.values() if each.process.answers]

    async def run(self) -> list[Verdict]:
        self._watching.append(asyncio.ensure_future(self.around.broker.watch()))
        for name in ("a", "b", "c")[: self.chance.choice([1, 2, 2, 3])]:
            self.start(name)
        self._watching.append(asyncio.ensure_future(self._supervise()))
        self._strike(self.chance.randint(1, 5), within_calls=500)
        telling = asyncio.ensure_future(self.client.tell_everything(doors=not self.loses))
        await asyncio.sleep(self.chance.uniform(*BACKUP_SECONDS))
        self.backup = self.around.server.copy()
        await telling
        await self._calm()
        if self.loses:
            await self._lose_the_database()
        await self.rest(parked=True)
        await self.client.until_answered()
        self.network.note("the mended build is there")
        self.around.mended = True
        self._strike(self.chance.randint(0, 2), within_calls=60)
        behind = asyncio.ensure_future(self.client.tell_more())
        await self.client.clear_parked()
        await behind
        await self._calm()
        await self.client.clear_parked()
        await self.rest(parked=False)
        return self.judge()

    def start(self, name: str) -> None:
        """A new life of a replica."""
        self.lives += 1
        self.replicas[name] = replica = Replica(name, self.around)
        replica.process.name = f"{name}#{self.lives}"
        replica.start()

    def _strike(self, count: int, within_calls: int) -> None:
        """Let crashes, freezes and losses begin."""
        self.network.losses = self.chance.choice([0.0, 0.01, 0.03])
        kinds = ["before", "under way", "answered", "freeze"]
        for _ in range(count):
            self.network.strikes[self.network.calls + self.chance.randint(1, within_calls)] = self.chance.choice(kinds)

    async def _calm(self) -> None:
        """The faults end."""
        self.network.losses = 0.0
        self.network.strikes.clear()
        self.network.note("calm")
        await asyncio.sleep(0)

    async def _supervise(self) -> None:
        """Start what died; before that, look at the offsets."""
        while True:
            await asyncio.sleep(0.1)
            for name, replica in list(self.replicas.items()):
                if not replica.process.alive:
                    verdict = checks.offsets(Fates(self.world(), self.oracle), GROUP)
                    self.faults_meanwhile += verdict.faults
                    await asyncio.sleep(self.chance.uniform(0.1, 4.0))
                    self.start(name)

    async def _lose_the_database(self) -> None:
        """Every replica dies, the database goes or becomes an older copy, and is rebuilt from the toy's own topic."""
        if self.chance.random() < 0.5:
            await self.rest(parked=True)
        self._watching.pop().cancel()
        for replica in self.replicas.values():
            replica.process.die()
        await asyncio.sleep(5.0)  # what is under way arrives, the group notices
        kept = self.backup if self.loses == "restored" and self.backup is not None else {}
        self.network.note(f"the database is {self.loses}")
        self.around.server.collections = kept
        self.oracle.lost = True
        await self.rebuild()
        for name in self.replicas:
            self.start(name)
        self._watching.append(asyncio.ensure_future(self._supervise()))

    async def rebuild(self) -> None:
        """As `Service.rebuild` does it: the topic is folded, then all inputs are read again."""
        folder = Replica("rebuild", self.around)
        folder.process.mortal = False
        folding = Rebuild([folder.counters, folder.letters])
        own = sorted(
            (each for each in self.around.broker.records if each.topic == EVENTS), key=lambda each: each.offset
        )
        for first in range(0, len(own), 20):
            await folding.fold(own[first : first + 20])
        try:
            folding.finish()
            await folding.check_tail()
        except (AheadOfTopic, EventsMissing) as error:
            self.faults_meanwhile.append(f"2: {error}")
        self.rewind()

    def rewind(self) -> None:
        """Have all inputs read again."""
        self.around.broker.committed.clear()

    async def rest(self, *, parked: bool) -> None:
        """Wait until nothing waits any more, or for so long that the judge may say what does."""
        until = self.network.loop.time() + REST_SECONDS
        while self.network.loop.time() < until and not self._rests(parked):  # noqa: ASYNC110 - time is virtual
            await asyncio.sleep(LOOK_SECONDS)

    def _rests(self, parked: bool) -> bool:
        broker, server = self.around.broker, self.around.server
        locked = server.of("locks").keys()
        waiting = (
            each
            for name in ("counters", "letters")
            for id_, each in server.of(name).items()
            if each["outbox"] or (id_ not in locked and ("due_at" in each or "try_after" in each))
        )
        read = all(broker.committed.get(partition, 0) >= end for partition, end in broker.ends.items())
        return read and (parked or not locked) and next(waiting, None) is None

    def world(self) -> World:
        """What the checker of the real one reads, from memory."""
        server, broker = self.around.server, self.around.broker
        records = broker.records
        return World(
            said=said_of(records),
            stored=[
                stored_of(GROUP, name, document, _older(server.of(f"{name}_history"), document))
                for name in ("counters", "letters")
                for document in server.of(name).values()
            ],
            parked=list(server.of("parked").values()),
            audit=list(server.of("parking_audit").values()),
            locks=frozenset(server.of("locks")),
            records=records,
            committed={GROUP: dict(broker.committed)},
            ends=broker.ends,
        )

    def judge(self) -> list[Verdict]:
        verdicts = judge_world(
            self.world(),
            self.oracle,
            group=GROUP,
            orders=ORDERS,
            own=EVENTS,
            now=self.network.now(),
            spans=self.spans.causes,
        )
        for fault in self.faults_meanwhile:
            number = int(fault.partition(":")[0])
            verdicts = [
                Verdict(each.number, each.looked_at, (*each.faults, fault)) if each.number == number else each
                for each in verdicts
            ]
        return verdicts


def _older(history: dict[str, Any], document: dict[str, Any]) -> list[Any]:
    """The lines that were moved out of a document; what was only copied stands in it still."""
    mine = [each for each in history.values() if each["of"] == document["_id"]]
    mine.sort(key=lambda each: each["number"])
    return [each["line"] for each in mine if each["number"] < document.get("moved", 0)]


@contextmanager
def _quiet() -> Iterator[None]:
    """No log lines: the schedule is what a seed has to say."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def _short_histories() -> Iterator[None]:
    """So that lines are moved out of documents after a handful, not after hundreds."""
    before = apply.MAX_LINES, apply._KEPT_LINES
    apply.MAX_LINES, apply._KEPT_LINES = LINES, LINES // 2
    try:
        yield
    finally:
        apply.MAX_LINES, apply._KEPT_LINES = before


@contextmanager
def _own_chance(seed: int) -> Iterator[None]:
    """The jitter of the core follows from the seed too."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def _end(loop: VirtualLoop) -> None:
    """Everybody dies: nothing of a seed reaches into the next."""

    async def cancel() -> None:
        for _ in range(6):  # who hears of the end of another may begin something once more
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                task.cancel()
            await asyncio.sleep(0)

    loop.set_exception_handler(lambda *_: None)
    ending: Coroutine[Any, Any, None] = cancel()
    try:
        loop.run_until_complete(ending)
    except Stalled:
        ending.close()
    loop.close()
