"""Runs a service that is broken on purpose: see `chaos.sabotage`."""

import asyncio
import signal
import sys
from pathlib import Path

from launcher import services
from launcher.infrastructure import Infrastructure
from launcher.layout import Layout
from launcher.ports import PortBlock
from launcher.processes import Child
from launcher.services import Surroundings


class Sabotaged:
    """A service with a broken core as a process, and the mail server that it may send to."""

    def __init__(self, servers: Infrastructure, folder: Path, name: str, service: str = "declarations") -> None:
        self.layout = Layout(folder / "platform")
        self.layout.prepare()
        services.prepare_secrets(self.layout, servers.mongo_url)
        self._block = PortBlock()
        ports = self._block.choose(services.port_names(), {})
        around = Surroundings(self.layout, ports, servers.bootstrap_servers, servers.mongo_url)
        environment = services.environment(service, around)
        environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "TRADE_KAFKA__SESSION_TIMEOUT_MS": "2000"}
        command = [sys.executable, "-m", "chaos.sabotage", name, str(folder / "marker"), service]
        self._process = Child(service, command, log=self.layout.logs / f"{service}.log", environment=environment)
        self._mail = services.mail_child(around)

    async def run_until_killed(self) -> None:
        """Start it; returns when it has killed itself.

        Raises:
            AssertionError: it ended in another way.
        """
        self._mail.start()
        self._process.start()
        status = await asyncio.wait_for(self._process.finished(), 40)
        assert status == -signal.SIGKILL, self._process.last_words()

    def start(self) -> None:
        self._process.start()

    async def stop(self) -> None:
        await self._process.stop()
        await self._mail.stop()
        self._block.release()
