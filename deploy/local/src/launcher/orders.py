"""Orders to a running platform, over a socket in its folder, which only its owner can access. One order per connection.

    → {"restart": "kafka"}
    ← {"line": "Starting Kafka ..."}      any number
    ← {"done": {"part": "kafka", "pid": 4711, "seconds": 4.2}}      or {"failed": "why, in one line"}

Only the launcher can start a part, because the kernel kills a part when the process that started it ends.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from launcher.failures import LauncherError
from launcher.layout import Layout
from launcher.progress import Report

Restart = Callable[[str, Report], Awaitable[dict[str, Any]]]
"""Takes a part's name, and a report for the sender of the order. Raises LauncherError."""


@contextlib.asynccontextmanager
async def taken(layout: Layout, restart: Restart) -> AsyncIterator[None]:
    """Accept orders within this context."""

    under_way: set[asyncio.Task[Any] | None] = set()

    async def on_order(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.add(asyncio.current_task())
        try:
            await _carry_out(reader, writer, restart)
        finally:
            under_way.discard(asyncio.current_task())
            writer.close()

    layout.orders.unlink(missing_ok=True)
    with _short(layout) as path:
        server = await asyncio.start_unix_server(on_order, path)
    try:
        yield
    finally:
        server.close()
        layout.orders.unlink(missing_ok=True)
        # When the platform is being stopped, do not restart a part.
        for task in [each for each in under_way if each is not None]:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _carry_out(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, restart: Restart) -> None:
    def say(**answer: Any) -> None:
        writer.write(json.dumps(answer).encode() + b"\n")  # the sender may be gone; the order is carried out anyway

    try:
        order = json.loads(await reader.readline())
        say(done=await restart(order["restart"], lambda line: say(line=line)))
    except LauncherError as error:
        say(failed=str(error))
    except (ValueError, KeyError, TypeError):
        say(failed="That is not an order.")
    with contextlib.suppress(ConnectionError):
        await writer.drain()


async def give_restart(layout: Layout, part: str, report: Report) -> dict[str, Any]:
    """Order the restart of a part; returns the launcher's answer once the part is ready.

    Raises:
        LauncherError: there is no such part, it does not come back, or the platform is not up.
    """
    try:
        with _short(layout) as path:
            reader, writer = await asyncio.open_unix_connection(path)
    except OSError:
        raise LauncherError("The platform is not up yet; check with `trade dev status`.") from None
    with contextlib.closing(writer):
        writer.write(json.dumps({"restart": part}).encode() + b"\n")
        async for line in reader:
            match json.loads(line):
                case {"line": text}:
                    report(text)
                case {"done": done}:
                    return dict(done)
                case {"failed": why}:
                    raise LauncherError(why)
    raise LauncherError(f"The launcher ended before {part} was ready (log: {layout.logs / 'launcher.log'}).")


@contextlib.contextmanager
def _short(layout: Layout) -> Iterator[str]:
    """The socket's path in a form that fits the system's limit of 107 characters, however deep the folder is."""
    folder = os.open(layout.folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{layout.orders.name}"
    finally:
        os.close(folder)
