"""The cost of retryable writes on the embedded database.

A member of a replica set remembers the answer to every retryable write. SecantusDB's Python server searches all answers
of the last half hour at each write. This shows the cost of inserting one document after a number of writes, with and
without retryable writes, each on a separate server.

    python -m bench.repeats                     half a minute
    python -m bench.repeats --writes 20000
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from pymongo import AsyncMongoClient
from rich.console import Console
from rich.table import Table

from bench.ground import cpu_seconds
from bench.lone_server import lone_server
from launcher.database import ProcessDatabase

SIDE_BY_SIDE = 8
STEPS = 5


async def costs(writes: int, *, repeats: bool) -> list[float]:
    """Milliseconds of the server's CPU per write, for each stretch of writes."""
    program = [str(Path(sys.executable).with_name("secantusd-py"))]
    async with (
        lone_server(program, "--oplog-max-entries", "1000") as server,
        AsyncMongoClient[dict[str, object]](server.address, retryWrites=repeats) as client,
    ):
        return [await _stretch(client, server, writes // STEPS) for _ in range(STEPS)]


async def _stretch(client: AsyncMongoClient[dict[str, object]], server: ProcessDatabase, writes: int) -> float:
    before = cpu_seconds(server.pid)

    async def write() -> None:
        for _ in range(writes // SIDE_BY_SIDE):
            await client["bench"]["writes"].insert_one({"text": "x" * 500})

    await asyncio.gather(*(write() for _ in range(SIDE_BY_SIDE)))
    return (cpu_seconds(server.pid) - before) * 1000 / writes


def main(writes: Annotated[int, typer.Option("--writes", min=100, help="Total on each server.")] = 10_000) -> None:
    """Show the cost of remembered answers."""
    console = Console(highlight=False)
    table = Table("after so many writes", "the driver repeats", "it does not", title="CPU of one write, ms")
    with_them, without = asyncio.run(costs(writes, repeats=True)), asyncio.run(costs(writes, repeats=False))
    for step, (one, other) in enumerate(zip(with_them, without, strict=True), start=1):
        table.add_row(f"{writes // STEPS * step:,}", f"{one:.2f}", f"{other:.2f}")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
