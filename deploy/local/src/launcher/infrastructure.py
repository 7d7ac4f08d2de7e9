"""Kafka and the database, started and stopped together, for tests and the platform."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from contracts.topics import Profile, Topic
from launcher import access, database, kafka
from launcher.failures import LauncherError
from launcher.layout import Layout
from launcher.ports import PortBlock
from launcher.progress import Report, silent
from launcher.servers import GivenServer, Server
from launcher.side_by_side import all_or_none
from launcher.topics import create_topics, make_topics_anew

MODES = ("auto", "local", "containers", "external")
PORTS = ["kafka", "kafka-controller", "database"]


class Infrastructure:
    """One broker and one database, on their own ports, with data below `folder`.

    An asynchronous context manager that stops what it started. Use it from the main thread.
    """

    def __init__(
        self, folder: Path, *, mode: str = "auto", report: Report = silent, ports: dict[str, int] | None = None
    ) -> None:
        if mode not in MODES:
            raise LauncherError(f"--infra must be one of {', '.join(MODES)}.")
        self._layout = Layout(folder.absolute())
        self._mode = mode
        self._report = report
        self._given_ports = ports
        self._block = PortBlock()
        self._kafka: Server | None = None
        self._database: Server | None = None

    @property
    def kafka(self) -> Server:
        return _started(self._kafka)

    @property
    def database(self) -> Server:
        return _started(self._database)

    @property
    def bootstrap_servers(self) -> str:
        return self.kafka.address

    @property
    def mongo_url(self) -> str:
        return self.database.address

    async def start(self) -> None:
        """Start both and wait until they answer.

        Raises:
            LauncherError: something is missing; nothing is left running.
        """
        self._layout.prepare()
        ports = self._given_ports or self._block.choose(PORTS, {})
        logs = self._layout.logs
        try:
            self._database = database.choose(self._mode, self._layout.database, logs, port=ports["database"])
            self._kafka = kafka.choose(
                self._mode, self._layout.kafka, logs, port=ports["kafka"], controller_port=ports["kafka-controller"]
            )
            await all_or_none([self._kafka.start(self._report), self._database.start(self._report)])
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop what was started; given servers are left running."""
        stops = [server.stop() for server in (self._kafka, self._database) if server is not None]
        await asyncio.gather(*stops)
        self._block.release()

    async def create_topics(self, topics: Sequence[Topic], profile: Profile = Profile.DEV) -> None:
        known_as = access.credentials() if isinstance(self.kafka, GivenServer) else None
        await create_topics(self.bootstrap_servers, topics, profile, known_as=known_as)

    async def make_topics_anew(self, topics: Sequence[Topic]) -> None:
        """Make topics anew, empty; a broker that was given to us keeps what it holds, and gets what is missing."""
        if isinstance(self.kafka, GivenServer):
            await self.create_topics(topics)
        else:
            await make_topics_anew(self.bootstrap_servers, topics)

    async def kill_kafka(self) -> None:
        """SIGKILL to the broker."""
        await self.kafka.kill()

    async def start_kafka(self) -> None:
        """Start the broker again with the same port and data; returns when it answers."""
        await self.kafka.start(self._report)

    async def kill_database(self) -> None:
        """SIGKILL to the database."""
        await self.database.kill()

    async def start_database(self) -> None:
        """Start the database again with the same port and data; returns when it answers."""
        await self.database.start(self._report)

    async def restart(self, name: str) -> None:
        """Restart `kafka` or `database` with the same port and data; returns when it answers.

        Raises:
            LauncherError: it is a given server, or does not come back.
        """
        server = {"kafka": self.kafka, "database": self.database}[name]
        if isinstance(server, GivenServer):
            raise LauncherError(f"{server.what} was not started here, so it cannot be restarted here.")
        await server.stop()
        await server.start(self._report)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def _started(server: Server | None) -> Server:
    if server is None:
        raise LauncherError("Nothing has been started yet.")
    return server
