"""What the launcher needs to know of a server it runs, or of one that was given to it."""

from typing import Protocol

from launcher.failures import LauncherError
from launcher.progress import Report


class Server(Protocol):
    """A broker or a database: one that the launcher runs, or one that is there already."""

    kind: str
    """Which one it is, in a word for the user: `kafka-jars`, `secantusdb`, `mongod`, `given`."""
    address: str

    @property
    def pid(self) -> int | None: ...

    @property
    def alive(self) -> bool: ...

    async def start(self, report: Report, /) -> None:
        """Start it, or check that it is there; returns when it answers.

        Raises:
            LauncherError: it does not answer.
        """

    async def stop(self) -> None: ...

    async def kill(self) -> None:
        """SIGKILL.

        Raises:
            LauncherError: it is not ours.
        """


class GivenServer:
    """A server that somebody else runs: checked at the start, never stopped."""

    kind = "given"
    pid: int | None = None
    alive = True

    def __init__(self, what: str, address: str) -> None:
        self.what = what
        self.address = address

    async def start(self, report: Report) -> None:
        report(f"{self.what}: the one given to us, {self.address.rpartition('@')[2]}")

    async def stop(self) -> None:
        """It is not ours."""

    async def kill(self) -> None:
        raise LauncherError(f"{self.what} was given to us, it is not ours to kill.")
