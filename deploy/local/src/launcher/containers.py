"""Servers in containers, run by testcontainers, whose reaper removes them if the launcher dies."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from launcher.failures import LauncherError
from launcher.progress import Report, step

START_SECONDS = 300.0


def docker_runs() -> bool:
    """Whether a Docker daemon answers; an installed client proves nothing."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        command = [docker, "info", "--format", "{{.ServerVersion}}"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0 and bool(run.stdout.strip())


class ContainerServer:
    """A server in a container on a fixed port, with its data in our folder."""

    kind = "container"
    pid: int | None = None

    def __init__(
        self, what: str, address: str, container: Callable[[], Any], answers: Callable[[str], Awaitable[bool]]
    ) -> None:
        self.address = address
        self._what = what
        self._make = container
        self._answers = answers
        self._container: Any = None

    @property
    def alive(self) -> bool:
        if self._container is None:
            return False
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return bool(wrapped.status == "running")

    async def start(self, report: Report) -> None:
        async with step(report, f"Starting {self._what} in a container"):
            if self._container is None:
                container = self._make()
                await asyncio.to_thread(container.start)
                self._container = container
            else:
                await asyncio.to_thread(self._container.get_wrapped_container().start)
            deadline = time.monotonic() + START_SECONDS
            while not await self._answers(self.address):
                if time.monotonic() > deadline:
                    raise LauncherError(f"{self._what} did not answer within {START_SECONDS:.0f} s in its container.")
                await asyncio.sleep(0.2)

    async def stop(self) -> None:
        if self._container is not None:
            await asyncio.to_thread(self._container.stop)
            self._container = None

    async def kill(self) -> None:
        if self._container is not None:
            await asyncio.to_thread(self._container.get_wrapped_container().kill)


def container(image: str, folder: Path, inside: str, port: int, outside: int, environment: dict[str, str]) -> Any:
    """Create a container without starting it.

    Args:
        folder: where its data is kept, mounted as `inside`.
        port: the port in the container.
        outside: the port on this machine's loopback interface.
        environment: environment variables of its program.
    """
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - slow, and only where Docker runs

    folder.mkdir(parents=True, exist_ok=True)
    made = DockerContainer(image, user=f"{os.getuid()}:{os.getgid()}")
    made = made.with_volume_mapping(str(folder), inside, "rw")
    # Docker's library also accepts an address with the port, which keeps the server off the network.
    made = made.with_bind_ports(port, ("127.0.0.1", outside))  # type: ignore[arg-type]
    for name, value in environment.items():
        made = made.with_env(name, value)
    return made
