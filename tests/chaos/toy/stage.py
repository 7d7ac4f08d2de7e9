"""One toy on its own stage: topics, database, consumer group, keys and ports of its own, replicas as processes."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from chaos.harness.processes import stands_still
from chaos.toy.app import events_topic

from chassis.rpc.identity import STAFF, create_key
from chassis.testing import eventually
from contracts.topics import Topic, inbox
from launcher.platform import says_ready
from launcher.ports import PortBlock
from launcher.processes import Child
from launcher.topics import create_topics

SESSION_MS = 2000
"""After this time a silent member of the group counts as dead."""
REPLICAS = ("a", "b", "c")
TESTER = "tester"
"""Issuer of the tokens that the load shows at the door."""

_TESTS = Path(__file__).parents[2]
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the broker and the database are."""

    kafka: str
    mongo: str


class Replica:
    """One process of the toy."""

    def __init__(self, child: Child, grpc_port: int, admin_port: int) -> None:
        self.child = child
        self.address = f"127.0.0.1:{grpc_port}"
        self.admin = f"http://127.0.0.1:{admin_port}"

    async def start(self) -> None:
        """Start it; returns when it is ready."""
        self.child.start()
        await self.child.until(lambda: says_ready(f"{self.admin}/readyz"), seconds=_START_SECONDS)

    async def arm(self, *orders: str) -> None:
        """Arm fail points of the running process; none: disarm them all."""
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self.admin}/failpoints", params={"arm": list(orders)})
            answer.raise_for_status()

    async def metric(self, name: str) -> float:
        """A figure of the running process, by its name and labels as they stand at `/metrics`."""
        async with httpx2.AsyncClient(trust_env=False) as client:
            lines = (await client.get(f"{self.admin}/metrics")).text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == name), 0.0)

    @property
    def frozen(self) -> bool:
        """Whether the process stands still (SIGSTOP)."""
        return stands_still(self.child.pid)

    def thaw(self) -> None:
        if self.child.pid is not None:
            os.kill(self.child.pid, signal.SIGCONT)

    def freeze(self) -> None:
        if self.child.pid is not None:
            os.kill(self.child.pid, signal.SIGSTOP)

    def said(self, event: str) -> list[str]:
        """The log lines of one kind, over all lives of this replica."""
        try:
            lines = self.child.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if f'"{event}"' in line]


class Stage:
    """Everything of one toy except its servers. Names are unique per stage, so that stages can run concurrently."""

    def __init__(self, servers: Servers, folder: Path, name: str) -> None:
        self.servers = servers
        self.name = name
        self.orders: Topic = inbox(name)
        self.events: Topic = events_topic(f"toys.{name}.v1")
        self.folder = folder
        self.keys = folder / "keys"
        self.mended = folder / "mended"
        """Once this file exists, negative amounts are counted, as by a fixed build."""
        self.sink = ""
        self._block = PortBlock()
        self._ports: dict[str, int] = {}
        self.replicas: list[Replica] = []

    async def prepare(self) -> None:
        """Make keys and topics, choose ports."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for issuer in (self.name, TESTER, STAFF):
            create_key(self.keys, issuer)
        self._ports = self._block.choose([f"{each}.{kind}" for each in REPLICAS for kind in ("grpc", "admin")], {})
        await create_topics(self.servers.kafka, [self.orders, self.events])

    def replica(
        self,
        instance: str = "a",
        *,
        fail_points: Sequence[str] = (),
        servers: Servers | None = None,
        settings: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> Replica:
        """A process that is not started yet; `servers` are where it believes broker and database to be."""
        at = servers or self.servers
        grpc_port, admin_port = self._ports[f"{instance}.grpc"], self._ports[f"{instance}.admin"]
        own = {
            "NAME": self.name,
            "INSTANCE": instance,
            "ENVIRONMENT": "development",
            "FAIL_POINTS": ",".join(fail_points),
            "ORDERS": self.orders.name,
            "EVENTS": self.events.name,
            "SINK": self.sink,
            "MENDED": str(self.mended),
            "KEYS_DIR": str(self.keys),
            "KAFKA__BOOTSTRAP_SERVERS": at.kafka,
            "KAFKA__SESSION_TIMEOUT_MS": str(SESSION_MS),
            "MONGO__URL": at.mongo,
            "GRPC__PORT": str(grpc_port),
            "ADMIN__PORT": str(admin_port),
            "PEERS": json.dumps({self.name: f"127.0.0.1:{grpc_port}"}),
            "DRAIN_SECONDS": "3",
            **(settings or {}),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRADE_")}
        environment = inherited | {f"TRADE_{name}": value for name, value in own.items()}
        environment |= {"PYTHONPATH": str(_TESTS), "PYTHONUNBUFFERED": "1"}
        log = self.folder / f"{instance}.log"
        command = [sys.executable, "-m", "chaos.toy", *arguments]
        child = Child(f"{self.name}/{instance}", command, log=log, environment=environment)
        made = Replica(child, grpc_port, admin_port)
        self.replicas.append(made)
        return made

    async def rebuild(self, *, settings: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Rebuild the database from the toy's own topic, every replica being stopped; exit status and last words."""
        rebuilding = self.replica(settings=settings, arguments=("rebuild",)).child
        rebuilding.start()
        return await rebuilding.finished(), rebuilding.last_words()

    async def stop(self) -> None:
        """Kill every replica and release the ports; stored data stays under names that are never reused."""
        for replica in self.replicas:
            replica.thaw()
        await asyncio.gather(*(replica.child.kill() for replica in self.replicas))
        self._block.release()


@asynccontextmanager
async def on_stage(servers: Servers, folder: Path, name: str) -> AsyncIterator[Stage]:
    """A stage that is prepared, and cleared at the end."""
    stage = Stage(servers, folder, name)
    try:
        await stage.prepare()
        yield stage
    finally:
        await stage.stop()


async def until_frozen(replica: Replica, within_seconds: float) -> None:
    """Wait until a fail point has frozen it.

    Raises:
        AssertionError: it did not within the time.
    """

    async def stands_still() -> bool:
        return replica.frozen

    await eventually(stands_still, within_seconds=within_seconds)


async def until_killed(replica: Replica, within_seconds: float) -> None:
    """Wait until a fail point has killed it.

    Raises:
        AssertionError: it lives on, or it ended in another way.
    """
    try:
        status: Any = await asyncio.wait_for(replica.child.finished(), within_seconds)
    except TimeoutError:
        raise AssertionError(f"{replica.child.name} was not killed within {within_seconds} s") from None
    assert status == -signal.SIGKILL, f"status {status}: {replica.child.last_words()}"
