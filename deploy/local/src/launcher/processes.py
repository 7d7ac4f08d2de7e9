"""Child processes: each has its own session and a bounded log, and does not outlive its launcher."""

# ruff: noqa: ASYNC110 - the end of a child wakes no event loop, so it is polled
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from launcher import bound
from launcher.failures import LauncherError, explain
from launcher.logs import BoundedLog

POLL_SECONDS = 0.05
LOGGED_SECONDS = 2.0


class Child:
    """One program that can be started, stopped, killed and restarted.

    Start it from the main thread: the kernel kills a child when the thread that started it ends.
    """

    def __init__(
        self, name: str, command: list[str], *, log: Path, environment: Mapping[str, str], stop_seconds: float = 15.0
    ) -> None:
        self.name = name
        self.log = log
        self._output = BoundedLog(log)
        self._command = command
        self._environment = dict(environment)
        self._stop_seconds = stop_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._cleared = True  # no process of its group is left; its number may have been reused

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.alive else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the program, unless it runs.

        Raises:
            LauncherError: it cannot be started.
        """
        if self.alive:
            return
        wrapper = [sys.executable, "-I", "-S", bound.__file__, str(os.getpid())]
        try:
            output = self._output.open()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                    [*wrapper, *self._command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self._environment,
                    start_new_session=True,
                )
            finally:
                os.close(output)
            self._cleared = False
        except OSError as error:
            raise explain(error) from error

    async def stop(self) -> None:
        """Send SIGTERM, then SIGKILL to the rest of its group after a grace period."""
        if self.alive:
            self._signal(signal.SIGTERM)
            deadline = time.monotonic() + self._stop_seconds
            while self.alive and time.monotonic() < deadline:
                await asyncio.sleep(POLL_SECONDS)
        await self.kill()

    async def kill(self) -> None:
        """Send SIGKILL; returns when it has ended."""
        if self._process is None or self._cleared:
            return
        self._signal(signal.SIGKILL)
        while self.alive:
            await asyncio.sleep(POLL_SECONDS)
        await self._logged()
        self._cleared = True

    async def finished(self) -> int:
        """Wait until it ends by itself; returns its exit status."""
        if self._process is None:
            raise LauncherError(f"{self.name} was never started.")
        while (status := self._process.poll()) is None:
            await asyncio.sleep(POLL_SECONDS)
        await self._logged()
        return status

    async def until(self, ready: Callable[[], Awaitable[bool]], *, seconds: float) -> None:
        """Wait until `ready` returns true.

        Raises:
            LauncherError: the program ended first, or `seconds` passed; the text includes the log's last line.
        """
        deadline = time.monotonic() + seconds
        while not await ready():
            if not self.alive:
                await self._logged()
                status = self._process.returncode if self._process is not None else "unknown"
                raise LauncherError(f"{self.name} ended while starting (status {status}): {self.last_words()}")
            if time.monotonic() > deadline:
                raise LauncherError(f"{self.name} did not answer within {seconds:.0f} s: {self.last_words()}")
            await asyncio.sleep(POLL_SECONDS)

    def last_words(self) -> str:
        """The last line and the path of the log."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
            return f"{lines[-1][:300] if lines else 'it said nothing'} (log: {self.log})"
        return f"log: {self.log}"

    async def _logged(self) -> None:
        """Wait until the log has all output of an ended program; its remaining children may still write."""
        deadline = time.monotonic() + LOGGED_SECONDS
        while not self._output.ended and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
