"""The port for servers that the launcher runs, or that were given to it."""

import os
from typing import Protocol

from launcher.failures import LauncherError
from launcher.progress import Report


class Server(Protocol):
    """A broker or a database: run by the launcher, or given."""

    kind: str
    """Its kind, as shown to the user: `kafka-jars`, `secantusdb`, `mongod`, `given`."""
    address: str

    @property
    def pid(self) -> int | None: ...

    @property
    def alive(self) -> bool: ...

    async def start(self, report: Report, /) -> None:
        """Start it, or check that it runs; returns when it answers.

        Raises:
            LauncherError: it does not answer.
        """

    async def stop(self) -> None: ...

    async def kill(self) -> None:
        """SIGKILL.

        Raises:
            LauncherError: it is a given server.
        """


class GivenServer:
    """A server that was given: checked at the start, never stopped."""

    kind = "given"
    pid: int | None = None
    alive = True

    def __init__(self, what: str, address: str) -> None:
        self.what = what
        self.address = address

    async def start(self, report: Report) -> None:
        report(f"{self.what}: using the given one, {self.address.rpartition('@')[2]}")

    async def stop(self) -> None:
        """Leave it running."""

    async def kill(self) -> None:
        raise LauncherError(f"{self.what} was not started here, so it cannot be killed here.")


def given(what: str, variable: str, mode: str) -> GivenServer | None:
    """The server whose address the environment gives, where the mode lets it be used; None where one is to be started.

    Raises:
        LauncherError: the mode wants a given server, and none is.
    """
    address = os.environ.get(variable, "")
    if address and mode in ("auto", "external"):
        return GivenServer(what, address)
    if mode == "external":
        raise LauncherError(f"Set {variable} to the {what} to use.")
    return None
