"""Cells with server faults: killed, full, or stopped for long. Each has its own servers."""

import asyncio
import resource
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

from chaos.cells.ground import Cell, Ground
from chaos.cells.scene import Scene, scene
from chaos.harness.processes import memory_bytes
from chaos.judging.verdicts import Verdict
from chaos.toy.oracle import Way
from chaos.toy.settling import settled

from chassis.testing import eventually
from launcher.infrastructure import Infrastructure

GROUP = "servers"
ORDERS = 42
KILLS = 3
AWAY_SECONDS = 120.0
SHORT_SECONDS = 15.0
PATIENCE = timedelta(seconds=240)
UNSENT_SECONDS = 5
"""In these cells, an older unsent event makes the toy overloaded."""
CLIENTS = 8
"""How many clients send orders all the time."""
GROWTH_BYTES = 64 * 1_048_576
"""The allowed growth of a toy's memory while it can send nothing."""
FULL_BYTES = 4096
"""Below the present length of every database file."""

Fault = Callable[[Scene, Infrastructure], Awaitable[None]]


async def under(fault: Fault, ground: Ground) -> Sequence[Verdict]:
    """A fault under load; judged once everything runs again."""
    async with scene(ground) as on:
        await on.replica.start()
        load, door = on.load, on.replica.address
        doing = [
            asyncio.create_task(load.place(load.mixed(ORDERS))),
            asyncio.create_task(load.knock([load.order(Way.DOOR) for _ in range(8)], door, within=PATIENCE)),
        ]
        try:
            await fault(on, ground.infrastructure)
            await asyncio.gather(*doing)
        finally:
            for task in doing:
                task.cancel()
        await load.place(load.mixed(7))
        return await settled(on.stage, on.oracle, within_seconds=120.0)


async def kill(on: Scene, servers: Infrastructure, *, broker: bool, database: bool) -> None:
    """SIGKILL in the middle of the work, several times, with an immediate restart."""
    for _ in range(KILLS):
        await _at_work(on)
        before = _pids(servers, broker, database)
        await asyncio.gather(*(servers.kill_kafka() for _ in range(broker)))
        await asyncio.gather(*(servers.kill_database() for _ in range(database)))
        await asyncio.gather(*(servers.start_kafka() for _ in range(broker)))
        await asyncio.gather(*(servers.start_database() for _ in range(database)))
        after = _pids(servers, broker, database)
        assert None not in before | after and not before & after, "nothing was killed"


async def database_full(on: Scene, servers: Infrastructure) -> None:
    """No database file may grow; then there is room again.

    The embedded server does not recover by itself: it answers every command with an error until it is restarted, which
    a server that only refuses writes would not need.
    """
    await _at_work(on)
    pid = servers.database.pid
    assert pid is not None
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES, resource.RLIM_INFINITY))
    waits = len(on.replica.said("consumption_rests"))
    await on.load.place(on.load.mixed(7))
    await eventually(lambda: _waits(on, waits + 2), within_seconds=60.0)
    assert servers.database.alive, "the database died of it"
    await servers.kill_database()
    await servers.start_database()


async def _waits(on: Scene, times: int) -> bool:
    return len(on.replica.said("consumption_rests")) >= times


def _pids(servers: Infrastructure, broker: bool, database: bool) -> set[int | None]:
    of = {servers.kafka: broker, servers.database: database}
    return {server.pid for server, killed in of.items() if killed}


async def _at_work(on: Scene) -> None:
    """Wait until the toy has just resolved something: it is then processing more of the load."""
    name = 'trade_deliveries_total{outcome="applied"}'
    before = await on.replica.metric(name)

    async def more() -> bool:
        await on.load.place([on.load.order(hops=1)])
        return await on.replica.metric(name) > before

    await eventually(more, within_seconds=90.0)


async def broker_away(ground: Ground, *, seconds: float) -> Sequence[Verdict]:
    """No broker for long, and orders at the door: some are accepted, then all are refused; every one arrives."""
    async with scene(ground) as on:
        on.replica = on.stage.replica(settings={"KAFKA__MAX_UNSENT_SECONDS": str(UNSENT_SECONDS)})
        await on.replica.start()
        await on.load.place(on.load.mixed(7))
        await settled(on.stage, on.oracle)
        memory = memory_bytes(on.replica.child.pid or 0)
        await ground.infrastructure.kill_kafka()
        back = asyncio.Event()
        clients = asyncio.gather(*(_client(on, f"d{number}", back, seconds) for number in range(CLIENTS)))
        try:
            await eventually(lambda: _overloaded(on), within_seconds=60.0)
            await asyncio.sleep(seconds)  # the fault itself
            grown = memory_bytes(on.replica.child.pid or 0) - memory
            assert grown < GROWTH_BYTES, f"its memory grew by {grown} bytes"
            assert await on.replica.metric("trade_oldest_unsent_seconds") > UNSENT_SECONDS
            await ground.infrastructure.start_kafka()
            back.set()
            await clients
        finally:
            clients.cancel()
        assert len(on.oracle.orders) > 10 * CLIENTS, "hardly anything was taken at the door"
        return await settled(on.stage, on.oracle, within_seconds=120.0)


async def _client(on: Scene, counter: str, back: asyncio.Event, seconds: float) -> None:
    """Send one order after the other, each until accepted, while the broker is stopped."""
    within = timedelta(seconds=seconds) + PATIENCE
    while not back.is_set():
        await on.load.knock([on.load.order(Way.DOOR, counters=(counter,))], on.replica.address, within=within)


async def _overloaded(on: Scene) -> bool:
    return any("unsent" in said for said in on.load.turned_away)


def _cell(name: str, run: Callable[[Ground], Awaitable[Sequence[Verdict]]], *, in_samples: bool = True) -> Cell:
    return Cell(GROUP, name, run, own_servers=True, limit_seconds=480.0, in_samples=in_samples)


CELLS = [
    _cell("the broker is killed, three times", partial(under, partial(kill, broker=True, database=False))),
    _cell("the database is killed, three times", partial(under, partial(kill, broker=False, database=True))),
    _cell("broker and database are killed, three times", partial(under, partial(kill, broker=True, database=True))),
    _cell("the database is full", partial(under, database_full)),
    _cell("the broker is away for a while", partial(broker_away, seconds=SHORT_SECONDS)),
    _cell("the broker is away for two minutes", partial(broker_away, seconds=AWAY_SECONDS), in_samples=False),
]
