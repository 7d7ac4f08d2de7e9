"""The process behind `up`: starts a platform, keeps its parts alive, stops it on SIGTERM.

Usage: python -m launcher.supervisor FOLDER MODE [SERVICE ...]     the services named are rebuilt first

What it does is told line by line in a progress file named after its process; a part that dies is
started again, later each time, and the platform's description remembers it.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from launcher import interrupt
from launcher.failures import LauncherError
from launcher.layout import Layout
from launcher.platform import Platform

LOOK_SECONDS = 0.5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
HEALTHY_SECONDS = 60.0
"""A part that lived so long starts again without a pause the next time it dies."""


class Progress:
    """The file that `up` reads: one JSON object a line."""

    def __init__(self, path: Path) -> None:
        for old in path.parent.glob("progress-*.log"):
            old.unlink(missing_ok=True)
        self._file = path.open("w", buffering=1)

    def tell(self, **entry: Any) -> None:
        self._file.write(json.dumps(entry) + "\n")

    def line(self, text: str) -> None:
        self.tell(line=text)


class Keeper:
    """Starts one part again whenever it died."""

    def __init__(self, name: str, alive: Callable[[], bool], start: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self._alive = alive
        self._start = start
        self._pause = FIRST_PAUSE_SECONDS

    async def keep(self, noted: Callable[[str, str], None]) -> None:
        started = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._alive():
                continue
            if time.monotonic() - started > HEALTHY_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
            reason = "it had died"
            try:
                await self._start()
            except LauncherError as error:
                reason = str(error)
            started = time.monotonic()
            noted(self.name, reason)


async def supervise(platform: Platform, report: Callable[[str], None]) -> None:
    """Keep every part alive until cancelled."""

    def noted(part: str, reason: str) -> None:
        platform.note_restart(part, reason)
        platform.write_description()
        report(f"{part} was started again: {reason}")

    servers = platform.infrastructure
    keepers = [
        Keeper("kafka", lambda: servers.kafka.alive, servers.start_kafka),
        Keeper("database", lambda: servers.database.alive, servers.start_database),
    ]
    for name, child in platform.parts.items():
        keepers.append(Keeper(name, lambda child=child: child.alive, lambda name=name: platform.restart(name)))  # type: ignore[misc]
    await asyncio.gather(*(keeper.keep(noted) for keeper in keepers))


async def stay_up(layout: Layout, mode: str, rebuild: Sequence[str]) -> None:
    """Start the platform, say so, and keep it until cancelled."""
    layout.prepare()
    progress = Progress(layout.progress(os.getpid()))
    try:
        async with Platform(layout.folder, mode=mode, report=progress.line, rebuild=rebuild) as platform:
            progress.tell(ready=True)
            await supervise(platform, progress.line)
    except LauncherError as error:
        progress.tell(failed=str(error))
        raise


def main() -> int:
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
