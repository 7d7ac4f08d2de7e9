"""An HTTP door run by uvicorn, started and stopped by the service rather than by signals.

`http_door` has the layers around an application; `answering` and `http_connection` have the time limits.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import uvicorn

from chassis.doors.admission import Overloaded, never
from chassis.doors.answering import App, Otherwise
from chassis.doors.http_connection import WatchedConnection
from chassis.doors.http_door import http_door
from chassis.settings import HttpSettings

STARTED_SECONDS = 0.02
GRACE_SECONDS = 5


class _Config(uvicorn.Config):
    """uvicorn's configuration, with the time limits of connections."""

    def __init__(self, app: Any, settings: HttpSettings) -> None:
        tls = settings.tls_context()
        super().__init__(
            app,
            ssl_context_factory=None if tls is None else _giving(tls),
            host=settings.host,
            port=settings.port,
            http=WatchedConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self.head_seconds = settings.head_seconds
        self.answer_seconds = settings.answer_seconds


def _giving(tls: ssl.SSLContext) -> Callable[..., ssl.SSLContext]:
    return lambda *_: tls


class _Quiet(uvicorn.Server):
    """uvicorn without its signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """One ASGI application behind its door, on one port; the arguments are those of `http_door`."""

    def __init__(
        self,
        app: App,
        settings: HttpSettings,
        otherwise: Otherwise | None = None,
        *,
        paths: Iterable[str] = (),
        overloaded: Overloaded = never,
    ) -> None:
        self._settings = settings
        door = http_door(app, settings, paths=paths, otherwise=otherwise, overloaded=overloaded)
        self._server = _Quiet(_Config(door, settings))
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on; for port 0, the one that the system chose."""
        if not self._server.started:
            return self._settings.port
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen; returns once connections are accepted.

        Raises:
            OSError: the port is taken.
        """
        self._serving = asyncio.create_task(self._serve())
        while not self._server.started:
            if self._serving.done():
                await self._serving
            await asyncio.sleep(STARTED_SECONDS)

    async def stop(self, within_seconds: float = GRACE_SECONDS) -> None:
        """Finish the requests in progress, and cancel those not done in time (at most GRACE_SECONDS)."""
        # Whole seconds: the server takes no others.
        self._server.config.timeout_graceful_shutdown = max(1, min(int(within_seconds), GRACE_SECONDS))
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        except SystemExit as error:  # uvicorn raises this if it cannot listen
            raise OSError(f"cannot listen on {self._settings.host}:{self._settings.port}") from error
