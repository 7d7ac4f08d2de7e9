"""The process behind `up`: starts a platform, keeps its parts alive, stops it on SIGTERM.

Usage: python -m launcher.supervisor FOLDER MODE [SERVICE ...]     the services named are rebuilt first

Until the platform is up, it writes its progress line by line to a file named after its process. A part that dies is
restarted, with growing pauses, and the platform's description records it. A part can also be restarted by order
(`orders.py`).
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from chassis.telemetry import calm_stderr
from launcher import interrupt, orders
from launcher.failures import LauncherError
from launcher.layout import Layout
from launcher.platform import Platform
from launcher.progress import Report, step

LOOK_SECONDS = 0.5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
HEALTHY_SECONDS = 60.0
"""A part that ran this long is restarted without a pause when it dies."""


class Progress:
    """The file that `up` reads: one JSON object per line."""

    def __init__(self, path: Path) -> None:
        for old in path.parent.glob("progress-*.log"):
            old.unlink(missing_ok=True)
        self._file = path.open("w", buffering=1)

    def write(self, **entry: Any) -> None:
        if not self._file.closed:
            self._file.write(json.dumps(entry) + "\n")

    def end(self) -> None:
        """Stop writing: nobody reads the file once the platform is up, and it may be up for months."""
        self._file.close()

    def line(self, text: str) -> None:
        self.write(line=text)


class Keeper:
    """Restarts one part when it has died or on order; never twice at once.

    Args:
        start: starts a part that has died; returns when it is ready.
        restart: stops a running part and starts it; returns when it is ready.
    """

    def __init__(
        self,
        name: str,
        alive: Callable[[], bool],
        start: Callable[[], Awaitable[None]],
        restart: Callable[[], Awaitable[None]],
    ) -> None:
        self.name = name
        self._alive = alive
        self._start = start
        self._restart = restart
        self._pause = FIRST_PAUSE_SECONDS
        self._starting = asyncio.Lock()

    async def keep(self, noted: Callable[[str, str], None]) -> None:
        started = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._alive():
                continue
            if time.monotonic() - started > HEALTHY_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(self._pause)
            async with self._starting:
                if self._alive():  # restarted by order meanwhile
                    continue
                self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
                reason = "it had died"
                try:
                    await self._start()
                except LauncherError as error:
                    reason = str(error)
                started = time.monotonic()
            noted(self.name, reason)

    async def restart(self) -> None:
        """Restart the part now.

        Raises:
            LauncherError: it does not come back; it will be retried like one that died.
        """
        async with self._starting:
            await self._restart()


def keepers(platform: Platform) -> dict[str, Keeper]:
    """The keepers of all parts, by name."""
    servers = platform.infrastructure
    again = servers.restart
    found = [
        Keeper("kafka", lambda: servers.kafka.alive, servers.start_kafka, partial(again, "kafka")),
        Keeper("database", lambda: servers.database.alive, servers.start_database, partial(again, "database")),
    ]
    for name, child in platform.parts.items():
        start = partial(platform.restart, name)
        found.append(Keeper(name, lambda child=child: child.alive, start, start))  # type: ignore[misc]  # bound early
    return {keeper.name: keeper for keeper in found}


async def supervise(platform: Platform) -> None:
    """Keep every part running and accept orders, until cancelled."""
    kept = keepers(platform)

    def noted(part: str, reason: str) -> None:
        platform.note_restart(part, reason)
        platform.write_description()

    async def restart(part: str, report: Report) -> dict[str, Any]:
        if part not in kept:
            raise LauncherError(f"There is no part {part!r}; there are {', '.join(kept)}.")
        begun = time.monotonic()
        async with step(report, f"Starting {part} again"):
            await kept[part].restart()
        platform.write_description()
        description = platform.describe()
        pid = (description["services"] | description["parts"])[part]["pid"]
        return {"part": part, "pid": pid, "seconds": round(time.monotonic() - begun, 1)}

    async with orders.taken(platform.layout, restart):
        await asyncio.gather(*(keeper.keep(noted) for keeper in kept.values()))


async def stay_up(layout: Layout, mode: str, rebuild: Sequence[str]) -> None:
    """Start the platform, report it, and keep it running until cancelled."""
    layout.prepare()
    progress = Progress(layout.progress(os.getpid()))
    try:
        async with Platform(layout.folder, mode=mode, report=progress.line, rebuild=rebuild) as platform:
            progress.write(ready=True)
            progress.end()
            await supervise(platform)
    except LauncherError as error:
        progress.write(failed=str(error))
        raise


def main() -> int:
    calm_stderr()
    try:
        interrupt.run(stay_up(Layout(Path(sys.argv[1])), sys.argv[2], sys.argv[3:]))
    except interrupt.Interrupted:
        return 0
    except LauncherError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
