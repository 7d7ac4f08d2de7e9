"""The admin port of a process: liveness, readiness and metrics.

`/livez` checks progress: a check returns None, or a sentence that says what hangs. `/readyz` checks whether work can be
done now. `/livez` never queries the database, so a process is not killed because a server is unavailable. The server
implements as much HTTP as a probe needs, and shares nothing with the rest that could hang. In development,
`POST /failpoints?arm=save.after:kill:3` arms fail points.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from chassis import failpoints
from chassis.settings import ListenSettings

log = structlog.get_logger(__name__)

LiveCheck = Callable[[], str | None]
ReadyCheck = Callable[[], Awaitable[str | None]]

CHECK_SECONDS = 2.0
REQUEST_SECONDS = 5.0
_MAX_REQUEST = 16 * 1024


class AdminServer:
    """Answers `/livez`, `/readyz` and `/metrics`."""

    def __init__(
        self,
        listen: ListenSettings,
        *,
        live: Sequence[LiveCheck] = (),
        ready: Mapping[str, ReadyCheck] | None = None,
        registry: CollectorRegistry = REGISTRY,
        check_seconds: float = CHECK_SECONDS,
        development: bool = False,
    ) -> None:
        self._listen = listen
        self._live = live
        self._ready = dict(ready or {})
        self._registry = registry
        self._check_seconds = check_seconds
        self._development = development
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on; for port 0, the one that the system chose."""
        if self._server is None or not self._server.sockets:
            return self._listen.port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(self._serve, self._listen.host, self._listen.port, limit=_MAX_REQUEST)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request, then close the connection; a time limit covers slow clients and errors."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._exchange(reader, writer)
                writer.close()
                await writer.wait_closed()
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client is gone
        finally:
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = head.decode("latin-1").partition(" ")
        path, _, query = rest.split(" ", 1)[0].partition("?")
        try:
            status, kind, body = await self.answer(method, path, query)
        except Exception as error:
            log.exception("admin_request_failed", path=path[:100])
            status, kind, body = _json(500, {"error": type(error).__name__})
        writer.write(
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n".encode()
        )
        if method != "HEAD":
            writer.write(body)
        await writer.drain()

    async def answer(self, method: str, path: str, query: str = "") -> tuple[int, str, bytes]:
        """(status, content type, body) of a request."""
        if self._development and path == "/failpoints":
            return _arm(method, query)
        if method not in {"GET", "HEAD"}:
            return _json(405, {"error": "only GET is allowed"})
        match path:
            case "/livez":
                return self._alive()
            case "/readyz":
                return await self._is_ready()
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        return _json(404, {"error": "not found; there are /livez, /readyz and /metrics"})

    def _alive(self) -> tuple[int, str, bytes]:
        hanging = [sentence for check in self._live if (sentence := _ask(check)) is not None]
        if hanging:
            log.error("not_alive", hanging=hanging)
        return _json(503 if hanging else 200, {"status": "hanging" if hanging else "alive", "hanging": hanging})

    async def _is_ready(self) -> tuple[int, str, bytes]:
        names = list(self._ready)
        sentences = await asyncio.gather(*(self._judge(self._ready[name]) for name in names))
        missing = {name: each for name, each in zip(names, sentences, strict=True) if each is not None}
        return _json(503 if missing else 200, {"status": "not ready" if missing else "ready", "not_ready": missing})

    async def _judge(self, check: ReadyCheck) -> str | None:
        """The result of a check; a time-out or an error counts as not ready."""
        try:
            async with asyncio.timeout(self._check_seconds):
                return await check()
        except TimeoutError:
            return f"no answer within {self._check_seconds:g} s"
        except Exception as error:
            return f"the check failed: {type(error).__name__}"


def _arm(method: str, query: str) -> tuple[int, str, bytes]:
    """POST: arm every `arm=` of the query. The answer, also to a GET, is what is armed."""
    try:
        if method == "POST":
            failpoints.arm(parse_qs(query).get("arm", []))
    except failpoints.NotArmed as error:
        return _json(400, {"error": str(error)})
    return _json(200, {"armed": failpoints.armed()})


def _ask(check: LiveCheck) -> str | None:
    try:
        return check()
    except Exception as error:
        return f"the check failed: {type(error).__name__}"


def _json(status: int, body: Mapping[str, Any]) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(body, ensure_ascii=False).encode()
