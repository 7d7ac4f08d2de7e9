"""The database: a given MongoDB, otherwise `mongod`, a container, or SecantusDB.

SecantusDB implements MongoDB's wire protocol over the WiredTiger engine and is one of the locked packages; it is for
development and tests only. With each of them, an acknowledged write survives `kill -9`.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from launcher.containers import ContainerServer, container, docker_runs
from launcher.failures import LauncherError
from launcher.processes import Child
from launcher.progress import Report, step
from launcher.servers import Server, given

START_SECONDS = 60.0
MONGO_IMAGE = "mongo:8.0"


class ProcessDatabase:
    """A database server as a child process; its command says where its data is."""

    def __init__(
        self, kind: str, command: list[str], *, port: int, log: Path, stop_seconds: float, access: str = ""
    ) -> None:
        self.kind = kind
        self.address = f"mongodb://127.0.0.1:{port}/?directConnection=true{access}"
        self._child = Child(kind, command, log=log, environment=os.environ, stop_seconds=stop_seconds)

    @property
    def pid(self) -> int | None:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.alive

    async def start(self, report: Report) -> None:
        async with step(report, f"Starting the database ({self.kind})"):
            self._child.start()
            await self._child.until(lambda: answers(self.address), seconds=START_SECONDS)

    async def stop(self) -> None:
        await self._child.stop()

    async def kill(self) -> None:
        await self._child.kill()


def mongod(program: str, folder: Path, log: Path, *, port: int) -> ProcessDatabase:
    command = [program, "--bind_ip", "127.0.0.1", "--port", str(port), "--dbpath", str(folder)]
    return ProcessDatabase("mongod", command, port=port, log=log, stop_seconds=20.0)


def secantus(folder: Path, log: Path, *, port: int, further: Sequence[str] = (), access: str = "") -> ProcessDatabase:
    """The embedded server; the Rust version if it is on the path, which is three to five times as fast.

    Args:
        further: further options of the server.
        access: what clients add to its address because of them, beginning with `&`.
    """
    rust = shutil.which("secantusd-rs")
    program = [rust] if rust else [sys.executable, "-m", "launcher.secantus"]
    # Without sync-on-commit a kill loses acknowledged writes. As a replica set member it would also write every change
    # to an oplog that nobody reads, a fifth of its work.
    options = ["--sync-on-commit", "--standalone"]
    command = [*program, "--port", str(port), "--storage-path", str(folder), *options, *further]
    # It is slow to stop and loses nothing when killed, so do not wait long.
    kind = "secantusd-rs" if rust else "secantusdb"
    return ProcessDatabase(kind, command, port=port, log=log, stop_seconds=5.0, access=access)


def mongo_in_container(folder: Path, *, port: int) -> ContainerServer:
    """A standalone mongod."""
    url = f"mongodb://127.0.0.1:{port}/?directConnection=true"
    return ContainerServer("MongoDB", url, lambda: container(MONGO_IMAGE, folder, "/data/db", 27017, port, {}), answers)


async def answers(url: str) -> bool:
    """Whether a server at that address answers a ping."""
    async with AsyncMongoClient[dict[str, object]](url, serverSelectionTimeoutMS=500, connectTimeoutMS=500) as client:
        try:
            await client.admin.command("ping")
        except PyMongoError:
            return False
        return True


def choose(mode: str, folder: Path, logs: Path, *, port: int) -> Server:
    """The database for this machine.

    Args:
        mode: auto, local, containers or external.

    Raises:
        LauncherError: none can run; says what to do.
    """
    if server := given("MongoDB", "MONGO_URL", mode):
        return server
    log = logs / "database.log"
    program = shutil.which("mongod")
    if program and mode != "containers":
        return mongod(program, folder, log, port=port)
    if mode != "local" and docker_runs():
        return mongo_in_container(folder, port=port)
    if mode == "containers":
        raise LauncherError("Docker does not run here: start it, or use --infra=local.")
    return secantus(folder, log, port=port)
