"""Cells with network faults: between a toy and its broker, its database or its peer.

The load goes to the broker directly, so the toy's input does not depend on the link. Each cell proves by the link's
counters that the fault occurred, and ends with the whole checker.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from chaos.cells.ground import Cell, Ground
from chaos.harness.frames import GrpcFrames, KafkaFrames, MongoFrames
from chaos.harness.proxy import Link
from chaos.judging.verdicts import Verdict
from chaos.toy.load import Load, Sink, load_on
from chaos.toy.oracle import Oracle, Way
from chaos.toy.settling import settled
from chaos.toy.stage import SESSION_MS, Replica, Servers, Stage, on_stage

from chassis.testing import eventually

GROUP = "links"
ORDERS = 42
TURNS = 3
"""How often a link is harmed in one cell."""
HARM_SECONDS = 1.0
LONG_SECONDS = 2.5 * SESSION_MS / 1000
"""How long a black hole lasts: longer than the group's session timeout."""
DELAY_SECONDS = 0.05


@dataclass
class Links:
    """One toy's links to everything that it needs."""

    broker: Link
    database: Link
    peer: Link
    stage: Stage
    load: Load
    replica: Replica = field(init=False)

    def __post_init__(self) -> None:
        database = self.stage.servers.mongo
        self.broker.to = self.stage.servers.kafka
        self.database.to = database.partition("//")[2].partition("/")[0]
        through = Servers(self.broker.address, database.replace(self.database.to, self.database.address))
        peers = f'{{"{self.stage.name}": "{self.peer.address}"}}'
        self.replica = self.stage.replica(servers=through, settings={"PEERS": peers})
        self.peer.to = self.replica.address


Harm = Callable[[Links], Awaitable[None]]
"""Harms the link under load, then restores it; raises AssertionError if nobody was affected."""


@asynccontextmanager
async def linked(ground: Ground, oracle: Oracle) -> AsyncIterator[Links]:
    """A toy that reaches all its servers through links."""
    async with (
        Sink(oracle) as sink,
        on_stage(ground.servers, ground.folder, ground.name) as stage,
        load_on(stage, oracle, ground.seed) as load,
        Link(lambda link: KafkaFrames(_port(link.to), link.port)) as broker,
        Link(lambda _: MongoFrames()) as database,
        Link(lambda _: GrpcFrames()) as peer,
    ):
        stage.sink = sink.address
        links = Links(broker, database, peer, stage, load)
        await links.replica.start()
        yield links


async def under(harm: Harm, ground: Ground) -> Sequence[Verdict]:
    """A load on a toy while its links are harmed; judged once they are restored."""
    oracle = Oracle()
    async with linked(ground, oracle) as links:
        load, door = links.load, [links.load.order(Way.DOOR) for _ in range(8)]
        doing = [
            asyncio.create_task(load.place(load.mixed(ORDERS))),
            asyncio.create_task(load.knock(door, links.replica.address)),
        ]
        try:
            await harm(links)
            await asyncio.gather(*doing)
        finally:
            for task in doing:
                task.cancel()
        await load.place(load.mixed(7))  # a toy that only looks alive does not pass
        verdicts = await settled(links.stage, oracle)
        assert links.broker.seen["commit"], "the toy did not go through its links"
        return verdicts


def cell(on: str, name: str, harm: Callable[[Links, Link], Awaitable[None]], *, in_tests: bool = False) -> Cell:
    """A cell that harms one of the three links."""

    async def run(ground: Ground) -> Sequence[Verdict]:
        return await under(lambda links: harm(links, getattr(links, on)), ground)

    return Cell(GROUP, f"{on}: {name}", run, in_tests=in_tests)


async def cut(links: Links, link: Link) -> None:
    """Resets all connections, several times."""
    for _ in range(TURNS):
        await more_work(links, link)
        link.cut()
    assert link.cuts >= TURNS, "no connection was there to be cut"


async def refuse(links: Links, link: Link) -> None:
    """Refuses all connections for a while."""
    for _ in range(TURNS):
        link.refuse()
        await met(lambda: link.refused)
        link.refused = 0
        link.accept()
        await more_work(links, link)


async def delay(links: Links, link: Link) -> None:
    """Slows both directions during the whole load."""
    link.requests.delay_seconds = link.answers.delay_seconds = DELAY_SECONDS
    await met(lambda: min(link.requests.delayed, link.answers.delayed) >= 10)
    await more_work(links, link)
    link.heal()


async def black_hole(links: Links, link: Link, *, requests: bool, answers: bool) -> None:
    """Holds messages for longer than the group's session timeout, then delivers them."""
    link.black_hole(requests=requests, answers=answers)
    way = link.requests if requests else link.answers
    await met(lambda: way.held)
    await asyncio.sleep(LONG_SECONDS)  # the fault itself: the length of the silence
    link.heal()
    await more_work(links, link)


async def cut_in_the_dark(links: Links, link: Link) -> None:
    """Holds the answers, then cuts the connections: the requests arrived, but nobody was told."""
    for _ in range(TURNS):
        await more_work(links, link)
        held = link.answers.held
        link.black_hole(requests=False)
        await met(lambda before=held: link.answers.held > before)  # type: ignore[misc]
        link.cut()
        link.heal()


async def lose(links: Links, link: Link, *, names: Sequence[str]) -> None:
    """Loses exactly one answer at a time."""
    for turn in range(TURNS):
        link.lose_answer(*names)
        await met(lambda turn=turn: len(link.lost) > turn, links=links)  # type: ignore[misc]


async def met(seen: Callable[[], object], *, links: Links | None = None, within_seconds: float = 30.0) -> None:
    """Wait until the fault has occurred; with `links`, give the toy work meanwhile."""

    async def happened() -> bool:
        if links is not None:
            await links.load.place([links.load.order(ask=True)])
        return bool(seen())

    await eventually(happened, within_seconds=within_seconds)


async def more_work(links: Links, link: Link) -> None:
    """Wait until a new message has passed a link."""
    before = link.seen.total()
    await met(lambda: link.seen.total() > before, links=links)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


_WRITES = ("insert", "update", "delete")
_LOSSES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "broker": {"produce": ("produce",), "commit": ("commit",), "fetch": ("fetch",), "heartbeat": ("heartbeat",)},
    "database": {"a write": _WRITES, "a read": ("find",)},
    "peer": {"a call": ("call",)},
}
_QUICK = {("broker", "the answer to produce is lost"), ("database", "the answer to a write is lost")}

CELLS = [
    *(
        cell(on, name, harm)
        for on in _LOSSES
        for name, harm in (
            ("cut", cut),
            ("refused", refuse),
            ("slow", delay),
            ("a black hole", partial(black_hole, requests=True, answers=True)),
            ("requests are swallowed", partial(black_hole, requests=True, answers=False)),
            ("answers are swallowed", partial(black_hole, requests=False, answers=True)),
            ("answers are swallowed, then cut", cut_in_the_dark),
        )
    ),
    *(
        cell(on, name, partial(lose, names=names), in_tests=(on, name) in _QUICK)
        for on, losses in _LOSSES.items()
        for what, names in losses.items()
        for name in (f"the answer to {what} is lost",)
    ),
]
