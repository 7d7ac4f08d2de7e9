"""The ports of one platform: chosen once, remembered, never shared with another platform.

A platform takes a block of consecutive ports. It claims a block by an abstract socket, which belongs to the network
namespace, as ports do, and vanishes with its process. So two platforms started at the same instant cannot choose the
same ports. Blocks are below the ephemeral range, so that no outgoing connection takes the port of a server that was
just killed.
"""

import json
import random
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil

from launcher.failures import LauncherError, explain

FIRST, LAST, SIZE = 10_240, 32_000, 32
LETTING_GO_SECONDS = 3.0

T = TypeVar("T")


class PortBlock:
    """The claim on a block of ports, for as long as this process lives or until it is released."""

    def __init__(self) -> None:
        self._claim: socket.socket | None = None

    def choose(self, names: list[str], remembered: dict[str, int]) -> dict[str, int]:
        """A port for each name: the remembered ones, otherwise those of a free block.

        Raises:
            LauncherError: another program uses a remembered port; the text names the program if it is known.
        """
        if all(name in remembered for name in names):
            self._claim = _soon(lambda: _claim(min(remembered.values())))
            for name in names:
                if self._claim is None or not _soon(partial(is_free, remembered[name])):
                    raise LauncherError(_taken(name, remembered[name]))
            return {name: remembered[name] for name in names}
        while True:
            base = random.randrange(FIRST, LAST, SIZE)  # noqa: S311 - not a secret
            self._claim = _claim(base)
            if self._claim is not None and all(is_free(base + offset) for offset in range(len(names))):
                return {name: base + offset for offset, name in enumerate(names)}
            self.release()

    def choose_as_before(self, names: list[str], file: Path) -> dict[str, int]:
        """A port for each name: those stored in a file, which is then updated.

        Raises:
            LauncherError: a remembered port is taken, or the file cannot be written.
        """
        try:
            remembered = json.loads(file.read_text())
        except (FileNotFoundError, ValueError):
            remembered = {}
        ports = self.choose(names, remembered)
        try:
            file.write_text(json.dumps(ports, indent=2) + "\n")
        except OSError as error:
            raise explain(error) from error
        return ports

    def release(self) -> None:
        if self._claim is not None:
            self._claim.close()
            self._claim = None


def _soon(look: Callable[[], T]) -> T:
    """Retry `look` until it finds something: a killed server frees its port a moment later."""
    deadline = time.monotonic() + LETTING_GO_SECONDS
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _claim(base: int) -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0trade-platform-ports-{base}")
    except OSError:
        claim.close()
        return None
    return claim


def _taken(name: str, port: int) -> str:
    return (
        f"Port {port} ({name}) is taken by {_holder(port)}: stop that program,"
        " or choose new ports with `trade dev up --new-ports`."
    )


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass
    return "another program"
