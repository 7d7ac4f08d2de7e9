"""The behaviour of the embedded database under many concurrent clients, without the platform.

Two experiments on a server of this run only, started as the launcher starts it:

- **Crowd**: each of the connections runs one piece of work after the other: read five documents by id, then change the
  same five by compare-and-set in one bulk, as a service does with a batch. Work that is not answered within the
  time-out is given up and repeated, as services do. Reported are the pieces of work done per second and given up in
  total, the duration of one, the CPU of the server, and how long it keeps working after all clients have gone.
- **Given up**: each of the connections requests one long change and gives up after a second. Reported are how many of
  these changes the server still makes, and for how long it works on them.

    python -m bench.collapse                                    two minutes, both
    python -m bench.collapse --connections 8 --connections 400 --seconds 30
    python -m bench.collapse --timeout 1                        repeats work that is still queued
    python -m bench.collapse --timeout 1 --told                 the same, with maxTimeMS
"""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from pymongo import AsyncMongoClient, IndexModel, UpdateOne
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern
from rich.console import Console
from rich.table import Table

from bench.figures import percentile
from bench.ground import cpu_seconds
from chassis.tasks import cancel
from launcher import database
from launcher.ports import PortBlock
from launcher.servers import Server

CONNECTIONS = (1, 8, 32, 128, 400)
DOCUMENTS = 3_000
PIECE = 5
"""Number of documents that one piece of work reads and changes."""
LINES = 12
"""History lines of a document: twelve make some 4 kB, like a notice; a declaration has fifty."""
INDEXES = ("outbox.time", "due_at", "try_after")
"""The indexes of an aggregate: sparse, and they contain none of these documents."""
CROWD, GIVEN_UP = "crowd", "given_up"
"""Separate collections: dropping one that many connections have read can take the server minutes."""
PATIENCE_SECONDS = 1.0
AFTER_SECONDS = 120.0
LOOK_SECONDS, RESTING = 1.0, 0.1
"""The server is idle if it uses less than `RESTING` of a core for `LOOK_SECONDS`."""

Client = AsyncMongoClient[dict[str, Any]]


@dataclass
class Crowd:
    """The result of the crowd experiment."""

    connections: int
    seconds: float = 0.0
    done: list[float] = field(default_factory=list)
    """Duration of each piece of work in seconds, from its first attempt."""
    given_up: int = 0
    server_cpu: float = 0.0
    busy_after: float = 0.0
    """Seconds for which the server kept working after all clients had gone."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The result of the experiment with abandoned changes."""

    connections: int
    asked: int
    answered: int
    made_at_once: int
    """Changes made by the time the last client gave up."""
    made_later: int
    seconds: float
    """Seconds for which the server kept working after that."""


def _client(url: str, connections: int, timeout_seconds: float, *, told: bool = False) -> Client:
    """A client with this time-out; `told` sends it with each command, so that the server can give up too."""
    limit = round(timeout_seconds * 1000)
    return AsyncMongoClient(
        url,
        maxPoolSize=connections,
        retryWrites=False,
        retryReads=False,
        timeoutMS=limit if told else None,
        socketTimeoutMS=None if told else limit,
    )


def _line() -> dict[str, Any]:
    return {"cause": random.randbytes(20).hex(), "by": "service:crowd", "trace": random.randbytes(60).hex()}


def sync_ms(folder: Path) -> float:
    """Milliseconds that the disk takes to make a small write durable, for which each change waits once."""
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(bytes(4096))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    return percentile(took, 50)


async def prepare(url: str, name: str, lines: int) -> None:
    """Insert documents like those of services."""
    async with _client(url, 1, 60) as client:
        collection = client["bench"][name]
        await collection.create_indexes([IndexModel(name, sparse=True) for name in INDEXES])
        for first in range(0, DOCUMENTS, 500):
            await collection.insert_many(
                [
                    {"_id": f"d{number}", "version": 1, "made": 0, "history": [_line() for _ in range(lines)]}
                    for number in range(first, min(first + 500, DOCUMENTS))
                ]
            )


async def crowd(
    url: str, server: Server, connections: int, *, lines: int, seconds: float, timeout_seconds: float, told: bool
) -> Crowd:
    """Run the crowd experiment."""
    found = Crowd(connections)
    async with _client(url, connections, timeout_seconds, told=told) as client:
        collection = client["bench"][CROWD].with_options(write_concern=WriteConcern("majority", j=True))
        ends = time.monotonic() + seconds

        def kept() -> dict[str, Any]:
            return {"$each": [_line()], "$slice": -lines}

        async def piece() -> None:
            ids = [f"d{number}" for number in random.sample(range(DOCUMENTS), PIECE)]
            read = await collection.find({"_id": {"$in": ids}}).to_list()
            changes = [
                UpdateOne(
                    {"_id": each["_id"], "version": each["version"]},
                    {
                        "$set": {"version": each["version"] + 1},
                        "$push": {"history": {"$each": [_line()], "$slice": -lines}},
                    },
                )
                for each in read
            ]
            await collection.bulk_write(changes, ordered=False)

        async def one() -> None:
            while time.monotonic() < ends:
                begun = time.monotonic()
                while time.monotonic() < ends:
                    try:
                        await piece()
                    except PyMongoError:
                        found.given_up += 1
                        continue
                    if time.monotonic() < ends:
                        found.done.append(time.monotonic() - begun)
                    break

        cpu, begun = cpu_seconds(server.pid), time.monotonic()
        tasks = [asyncio.create_task(one()) for _ in range(connections)]
        await asyncio.sleep(seconds)
        found.seconds, found.server_cpu = time.monotonic() - begun, cpu_seconds(server.pid) - cpu
        await cancel(tasks)
    found.busy_after = await _until_it_rests(server)
    return found


async def _until_it_rests(server: Server) -> float:
    """Seconds until the server is idle, bounded."""
    begun, last, busy = time.monotonic(), cpu_seconds(server.pid), 0.0
    while time.monotonic() - begun < AFTER_SECONDS:
        await asyncio.sleep(LOOK_SECONDS)  # the observation period
        spent, last = cpu_seconds(server.pid) - last, cpu_seconds(server.pid)
        if spent < RESTING * LOOK_SECONDS:
            break
        busy = time.monotonic() - begun
    return busy


async def give_up(url: str, server: Server, connections: int, *, told: bool) -> GivenUp:
    """Each connection requests a change of every document, and gives up."""
    name = f"{GIVEN_UP}{connections}"
    await prepare(url, name, LINES)
    answered = 0
    async with _client(url, connections, PATIENCE_SECONDS, told=told) as client:

        async def one() -> None:
            nonlocal answered
            try:
                await client["bench"][name].update_many({}, {"$inc": {"made": 1}})
            except PyMongoError:
                return
            answered += 1

        await asyncio.gather(*(one() for _ in range(connections)))
    begun = time.monotonic()
    async with _client(url, 1, AFTER_SECONDS) as client:
        collection = client["bench"][name]
        at_once = await _made(collection)
        asking = time.monotonic() - begun
        seconds = asking + await _until_it_rests(server)
        later = await _made(collection) - at_once
    return GivenUp(connections, connections, answered, at_once, later, seconds)


async def _made(collection: Any) -> int:
    """Number of long changes made to the first document."""
    document = await collection.find_one({"_id": "d0"})
    return int(document["made"])


async def measure(
    connections: Sequence[int], console: Console, *, lines: int, seconds: float, timeout_seconds: float, told: bool
) -> None:
    """Run both experiments on a server of this run."""
    block = PortBlock()
    with tempfile.TemporaryDirectory(prefix="trade-collapse-") as folder:
        where = Path(folder)
        (where / "data").mkdir()
        port = block.choose(["database"], {})["database"]
        server = database.secantus(where / "data", where / "database.log", port=port)
        console.print(f"The disk makes a small write durable in {sync_ms(where):.2f} ms (median)")
        await server.start(console.print)
        try:
            await prepare(server.address, CROWD, lines)
            seen = []
            for each in connections:
                found = await crowd(
                    server.address,
                    server,
                    each,
                    lines=lines,
                    seconds=seconds,
                    timeout_seconds=timeout_seconds,
                    told=told,
                )
                seen.append(found)
                console.print(f"  {each} connections: {len(found.done) / found.seconds:.1f} pieces of work per second")
            console.print(_crowds(seen, timeout_seconds))
            console.print(_given_up([await give_up(server.address, server, each, told=told) for each in (8, 64)]))
        finally:
            await server.kill()
            block.release()


def _crowds(seen: Sequence[Crowd], timeout_seconds: float) -> Table:
    table = Table(
        "connections", "done a second", "given up", "median", "p99", "server, cores", "busy after",
        title=f"Read five, change five; given up and repeated after {timeout_seconds:g} s",
    )  # fmt: skip
    for each in seen:
        median, late = (f"{percentile(each.done, rank):.3f} s" if each.done else "–" for rank in (50, 99))
        rate, cores = f"{len(each.done) / each.seconds:.1f}", f"{each.server_cpu / each.seconds:.2f}"
        table.add_row(str(each.connections), rate, str(each.given_up), median, late, cores, f"{each.busy_after:.0f} s")
    return table


def _given_up(seen: Sequence[GivenUp]) -> Table:
    table = Table(
        "asked", "answered in time", "made when all had given up", "made after that", "server busy for",
        title=f"One change of {DOCUMENTS:,} documents by each connection, given up after {PATIENCE_SECONDS:g} s",
    )  # fmt: skip
    for each in seen:
        counts = (each.asked, each.answered, each.made_at_once, each.made_later)
        table.add_row(*(str(count) for count in counts), f"{each.seconds:.0f} s more")
    return table


def main(
    connections: Annotated[list[int] | None, typer.Option("--connections", min=1, help="Repeat for several.")] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Duration for each number of connections.")] = 15.0,
    lines: Annotated[int, typer.Option("--lines", min=1, help="History lines of a document.")] = LINES,
    told: Annotated[bool, typer.Option("--told", help="Send the time-out to the server with each command.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds after which work is given up.")] = 20.0,
) -> None:
    """Show how the embedded database handles many connections and abandoned work."""
    console = Console(highlight=False)
    many = connections or CONNECTIONS
    asyncio.run(measure(many, console, lines=lines, seconds=seconds, timeout_seconds=timeout, told=told))


if __name__ == "__main__":
    typer.run(main)
