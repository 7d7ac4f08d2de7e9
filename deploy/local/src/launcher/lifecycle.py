"""`up`, `down`, `status` and `restart` of a platform that keeps running after the command has ended."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from launcher import orders
from launcher.failures import LauncherError, explain
from launcher.layout import FolderLock, Layout
from launcher.logs import MAX_BYTES, put_away
from launcher.platform import says_ready
from launcher.progress import Report, step

LOOK_SECONDS = 0.1
STOP_SECONDS = 90.0


async def up(
    layout: Layout, mode: str, report: Report, *, new_ports: bool = False, rebuild: Sequence[str] = ()
) -> dict[str, Any]:
    """Start a platform unless it runs; returns its description once it is ready.

    Args:
        rebuild: services whose databases are rebuilt from their own topics before they start.

    Raises:
        LauncherError: it cannot start, or it runs although `rebuild` is given.
    """
    layout.prepare()
    lock = FolderLock(layout.lock)
    holder = lock.holder()
    if holder is not None and rebuild:
        raise LauncherError("A database can only be rebuilt while its service is stopped: run `make down` first.")
    if holder is not None:
        report(f"The platform {layout.name!r} runs already (process {holder})")
        if (description := _described(layout)) is not None and description["launcher_pid"] == holder:
            return description
        return await _follow(layout, holder, None, report)
    if new_ports:
        layout.ports.unlink(missing_ok=True)
    supervisor = _spawn(layout, mode, rebuild)
    try:
        return await _follow(layout, supervisor.pid, supervisor, report)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            supervisor.terminate()
        await _ended(supervisor)
        raise


async def down(layout: Layout, report: Report) -> bool:
    """Stop the platform; false if none runs.

    Raises:
        LauncherError: it does not stop.
    """
    lock = FolderLock(layout.lock)
    holder = lock.holder()
    if not holder:
        layout.description.unlink(missing_ok=True)
        return False
    async with step(report, "Stopping the platform"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(holder, signal.SIGTERM)
        if not await _released(lock, STOP_SECONDS):
            # The kernel kills its children with it.
            with contextlib.suppress(ProcessLookupError):
                os.kill(holder, signal.SIGKILL)
            if not await _released(lock, LOOK_SECONDS * 50):
                raise LauncherError(f"The launcher (process {holder}) does not stop; kill it by hand.")
        await _gone(holder)
    layout.description.unlink(missing_ok=True)
    return True


async def status(layout: Layout) -> dict[str, Any] | None:
    """The description of the running platform, with `ready` for each service and `alive` for every other part; None if
    none runs. `alive` is None for a part that is not our process; the services' readiness covers it."""
    if FolderLock(layout.lock).holder() is None:
        return None
    description = _described(layout)
    if description is None:
        return {"name": layout.name, "state": "starting", "services": {}, "parts": {}}
    services, parts = description["services"], description["parts"]
    answers = await asyncio.gather(*(says_ready(f"{each['admin']}/readyz") for each in services.values()))
    for each, ready in zip(services.values(), answers, strict=True):
        each["ready"] = ready
    for each in parts.values():
        each["alive"] = None if each["pid"] is None else _lives(each["pid"])
    well = all(answers) and all(each["alive"] is not False for each in parts.values())
    return description | {"state": "ready" if well else "not ready"}


async def restart(layout: Layout, part: str, report: Report) -> dict[str, Any]:
    """Restart one part of the running platform; returns its name, process and the seconds it took, once it is ready.

    Raises:
        LauncherError: none runs, there is no such part, or it does not come back.
    """
    if FolderLock(layout.lock).holder() is None:
        raise LauncherError("No platform runs here; `make up` starts one.")
    return await orders.give_restart(layout, part, report)


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _spawn(layout: Layout, mode: str, rebuild: Sequence[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "launcher.supervisor", str(layout.folder), mode, *rebuild]
    own = layout.logs / "launcher.log"
    try:
        # It writes little, so its output goes to a file that each start truncates.
        if own.exists() and own.stat().st_size >= MAX_BYTES:
            put_away(own)
        with own.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own arguments
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
    except OSError as error:
        raise explain(error) from error


async def _follow(
    layout: Layout, holder: int, supervisor: subprocess.Popen[bytes] | None, report: Report
) -> dict[str, Any]:
    """Report the supervisor's progress until the platform is ready."""
    told = 0
    while True:
        ended = supervisor.poll() is not None if supervisor else FolderLock(layout.lock).holder() is None
        entries = _entries(layout.progress(holder))
        for entry in entries[told:]:
            if "failed" in entry:
                raise LauncherError(entry["failed"])
            if "line" in entry:
                report(entry["line"])
        told = len(entries)
        description = _described(layout)
        if description is not None and description["launcher_pid"] == holder and not ended:
            return description
        if ended:
            raise LauncherError(f"The launcher ended before the platform was up (log: {layout.logs / 'launcher.log'}).")
        await asyncio.sleep(LOOK_SECONDS)


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text().split("\n")[:-1]
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def _described(layout: Layout) -> dict[str, Any] | None:
    try:
        description: dict[str, Any] = json.loads(layout.description.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return description


async def _released(lock: FolderLock, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while lock.holder() is not None:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True


async def _gone(pid: int) -> None:
    """Wait until a process that is about to exit has ended."""
    deadline = time.monotonic() + LOOK_SECONDS * 50
    while time.monotonic() < deadline and _lives(pid):  # noqa: ASYNC110 - not our child: there is nothing to await
        await asyncio.sleep(LOOK_SECONDS)


async def _ended(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while process.poll() is None:
        if time.monotonic() > deadline:
            process.kill()
        await asyncio.sleep(LOOK_SECONDS)
