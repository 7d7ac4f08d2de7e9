"""The environment of all measurements: one broker, one database, and, on request, one whole platform."""

import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from chaos.toy.stage import Servers

from launcher.infrastructure import Infrastructure
from launcher.platform import Platform
from launcher.progress import Report


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of the measurements."""

    rounds: int
    small: bool
    """Tiny sizes, to check that every figure is produced."""
    in_flight: Sequence[int]
    """Numbers of concurrent shipments, in order."""
    past: Sequence[int]
    """Numbers of stored shipments, in order."""


@dataclass
class Ground:
    """The servers, the folder and the sizes of this run."""

    infrastructure: Infrastructure
    folder: Path
    sizes: Sizes
    report: Report
    _stack: AsyncExitStack
    _platform: Platform | None = None

    @property
    def servers(self) -> Servers:
        return Servers(self.infrastructure.bootstrap_servers, self.infrastructure.mongo_url)

    @property
    def rounds(self) -> int:
        return self.sizes.rounds

    def size(self, normal: int, small: int) -> int:
        return small if self.sizes.small else normal

    async def platform(self) -> Platform:
        """All six services on the same servers, started on first use."""
        if self._platform is None:
            started = Platform(self.folder / "platform", infrastructure=self.infrastructure, report=self.report)
            self._platform = await self._stack.enter_async_context(started)
        return self._platform


@asynccontextmanager
async def on_ground(folder: Path, sizes: Sizes, *, report: Report) -> AsyncIterator[Ground]:
    """Start the servers of this run; a database that BENCH_MONGO names is used as it is."""
    async with AsyncExitStack() as stack:
        if given := os.environ.get("BENCH_MONGO"):
            os.environ["MONGO_URL"] = given
        servers = await stack.enter_async_context(Infrastructure(folder / "servers", report=report))
        report(f"Database: {servers.database.kind}; Kafka: {servers.kafka.kind}")
        yield Ground(servers, folder, sizes, report, stack)


def cpu_seconds(pid: int | None) -> float:
    """User and system time of a process so far, over all its threads; 0 if it is gone.

    Linux reports the time of living threads in nanoseconds, and that of the process in ticks of ten milliseconds. A
    server with a thread per connection ends threads, whose time is then only in the process's.
    """
    if pid is None:
        return 0.0
    living = whole = 0.0
    with contextlib.suppress(OSError):
        runs = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/schedstat")]
        living = sum(int(run.split()[0]) for run in runs) / 1e9
    with contextlib.suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        whole = float(times.user + times.system)
    return max(living, whole)


def memory_mb(pid: int | None) -> float:
    """Current memory of a process in MB."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20
