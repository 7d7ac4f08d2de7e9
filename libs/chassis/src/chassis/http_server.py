"""An HTTP door under uvicorn, started and stopped by the service rather than by the process's signals."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import uvicorn

from chassis.settings import ListenSettings

STARTED_SECONDS = 0.02
GRACE_SECONDS = 5


class _Quiet(uvicorn.Server):
    """uvicorn without its own hold on signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """One ASGI application on one port."""

    def __init__(self, app: Any, listen: ListenSettings) -> None:
        self._listen = listen
        self._server = _Quiet(
            uvicorn.Config(
                app,
                host=listen.host,
                port=listen.port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; returns once connections are taken.

        Raises:
            OSError: the port is taken.
        """
        self._serving = asyncio.create_task(self._serve())
        while not self._server.started:
            if self._serving.done():
                await self._serving
            await asyncio.sleep(STARTED_SECONDS)

    async def stop(self) -> None:
        """Finish the requests in hand."""
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        except SystemExit as error:  # uvicorn's way of saying that it cannot listen
            raise OSError(f"cannot listen on {self._listen.host}:{self._listen.port}") from error
