"""The whole platform on one machine: servers, topics, keys, a mail server and the six services.

One folder has everything that it owns; `platform.json` in it lists every address while it runs, and the ports stay the
same between starts. However it ends, nothing is left running: it stops its parts in order, and the kernel kills them if
this process dies first.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx2

from contracts.topics import EVENT_TOPICS, inbox
from launcher import access, services
from launcher.description import describe, write_description
from launcher.failures import LauncherError
from launcher.infrastructure import PORTS, Infrastructure
from launcher.kafka import listens
from launcher.layout import FolderLock, Layout, run_root
from launcher.ports import PortBlock
from launcher.processes import Child
from launcher.progress import Report, silent, step
from launcher.servers import GivenServer
from launcher.services import SERVICES, Surroundings
from launcher.side_by_side import all_or_none

READY_SECONDS = 120.0


class Platform:
    """Starts, stops and breaks the parts of one platform. Use it from the main thread.

    Args:
        folder: the folder for its data; by default `.run/default`.
        mode: where Kafka and the database come from: auto, local, containers or external.
        infrastructure: running servers to use, which are not stopped here.
        settings: additional environment variables, by service name.
        partners: codes of the partners with an inbox topic.
        rebuild: services whose databases are rebuilt from their own topics before they start.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        mode: str = "auto",
        report: Report = silent,
        infrastructure: Infrastructure | None = None,
        settings: Mapping[str, Mapping[str, str]] | None = None,
        partners: Sequence[str] = services.PARTNERS,
        rebuild: Sequence[str] = (),
    ) -> None:
        self.layout = Layout((folder or run_root() / "default").absolute())
        self.restarts: dict[str, dict[str, Any]] = {}
        self._mode = mode
        self._report = report
        self._lock = FolderLock(self.layout.lock)
        self._block = PortBlock()
        self._given_infrastructure = infrastructure
        self._settings = dict(settings or {})
        self._settings["gateway"] = services.inbox_settings(partners) | dict(self._settings.get("gateway", {}))
        self._partners = partners
        self._to_rebuild = tuple(rebuild)
        self._infrastructure: Infrastructure | None = None
        self._around: Surroundings | None = None
        self._services: dict[str, Child] = {}
        self._mail: Child | None = None

    @property
    def infrastructure(self) -> Infrastructure:
        if self._infrastructure is None:
            raise LauncherError("The platform has not been started yet.")
        return self._infrastructure

    @property
    def parts(self) -> dict[str, Child]:
        """The processes of the services and the mail server, by name."""
        return self._services | ({"mail": self._mail} if self._mail is not None else {})

    async def start(self) -> None:
        """Start everything; returns when every service is ready.

        Raises:
            LauncherError: something is missing or failed; nothing is left running.
        """
        self.layout.prepare()
        if not self._lock.acquire():
            raise LauncherError(f"A platform runs in {self.layout.folder} already; `make down` stops it.")
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        ports = self._block.choose_as_before([*PORTS, *services.port_names()], self.layout.ports)
        if self._given_infrastructure is None:
            self._infrastructure = Infrastructure(self.layout.folder, mode=self._mode, report=self._report, ports=ports)
            await self._infrastructure.start()
        else:
            self._infrastructure = self._given_infrastructure
        servers = self.infrastructure
        self._report(f"Database: {servers.database.kind}; Kafka: {servers.kafka.kind}")
        await servers.create_topics([*EVENT_TOPICS, *(inbox(partner) for partner in self._partners)])
        services.prepare_secrets(self.layout, servers.mongo_url)
        known_as = access.given_to_services() if isinstance(servers.kafka, GivenServer) else {}
        self._around = Surroundings(self.layout, ports, servers.bootstrap_servers, servers.mongo_url, known_as)
        self._mail = services.mail_child(self._around)
        self._mail.start()
        for name in self._to_rebuild:
            async with step(self._report, f"Rebuilding {name} from its topic"):
                await self._rebuild(name, self._around)
        async with step(self._report, "Starting the services"):
            for name in SERVICES:
                self._services[name] = services.child(name, self._around, self._settings.get(name, {}))
                self._services[name].start()
            await all_or_none(self._until_ready(name) for name in SERVICES)
        self.write_description()

    async def stop(self) -> None:
        """Stop everything in order: gateway, the other services, tracking and the mail server, the servers."""
        try:
            middle = [name for name in self._services if name not in services.DOORS]
            for group in (["gateway"], middle, ["tracking"]):
                children = [self._services[name] for name in group if name in self._services]
                await asyncio.gather(*(child.stop() for child in children))
            if self._mail is not None:
                await self._mail.stop()
            if self._infrastructure is not None and self._given_infrastructure is None:
                await self._infrastructure.stop()
        finally:
            with contextlib.suppress(OSError):
                self.layout.description.unlink(missing_ok=True)
            self._block.release()
            self._lock.release()

    async def kill(self, service: str) -> None:
        """Send SIGKILL to one service (or `mail`); it stays down until `restart`."""
        await self._part(service).kill()

    async def restart(self, service: str) -> None:
        """Stop a service if it runs, start it and wait until it is ready.

        Raises:
            LauncherError: it does not come back.
        """
        child = self._part(service)
        await child.stop()
        child.start()
        await self._until_ready(service)
        self.write_description()

    async def rebuild(self, service: str) -> None:
        """Stop a service, rebuild its database from its own topic, and start it again.

        Raises:
            LauncherError: the rebuild fails; the service stays down.
        """
        await self._part(service).stop()
        if self._around is None:
            raise LauncherError("The platform has not been started yet.")
        await self._rebuild(service, self._around)
        await self.restart(service)

    async def kill_kafka(self) -> None:
        await self.infrastructure.kill_kafka()

    async def start_kafka(self) -> None:
        await self.infrastructure.start_kafka()

    async def kill_database(self) -> None:
        await self.infrastructure.kill_database()

    async def start_database(self) -> None:
        await self.infrastructure.start_database()

    def describe(self) -> dict[str, Any]:
        """The content of `platform.json`: every address, folder and process.

        Raises:
            LauncherError: it was not started.
        """
        if self._around is None:
            raise LauncherError("The platform has not been started yet.")
        return describe(self._around, self.infrastructure, self._services, self._mail, self.restarts)

    def write_description(self) -> None:
        """Write `platform.json` whole."""
        write_description(self.layout, self.describe())

    def note_restart(self, part: str, reason: str) -> None:
        """Record that a part died and was restarted, for `trade dev status`."""
        count = self.restarts.get(part, {}).get("count", 0) + 1
        self.restarts[part] = {"count": count, "last": datetime.now(UTC).isoformat(), "reason": reason}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _rebuild(self, service: str, around: Surroundings) -> None:
        rebuilding = services.child(service, around, self._settings.get(service, {}), arguments=("rebuild",))
        rebuilding.start()
        try:
            status = await rebuilding.finished()
        finally:
            await rebuilding.stop()
        if status != 0:
            raise LauncherError(f"{service} was not rebuilt (status {status}): {rebuilding.last_words()}")

    def _part(self, name: str) -> Child:
        if name not in self.parts:
            raise LauncherError(f"There is no {name} here; there are {', '.join(self.parts) or 'none yet'}.")
        return self.parts[name]

    async def _until_ready(self, name: str) -> None:
        around = self._around
        if around is None:
            return
        if name in self._services:
            url = f"http://{around.address(f'{name}.admin')}/readyz"
            await self._part(name).until(lambda: says_ready(url), seconds=READY_SECONDS)
        else:
            await self._part(name).until(lambda: listens(around.address("smtp")), seconds=READY_SECONDS)


async def says_ready(url: str) -> bool:
    """Whether an admin port reports its service as ready."""
    async with httpx2.AsyncClient(timeout=2.0, trust_env=False) as client:
        try:
            return (await client.get(url)).status_code == httpx2.codes.OK
        except httpx2.HTTPError:
            return False
