"""Every request is answered in time: by the application, or in its place.

The application runs in a task. If the task does not end in time, or ends without a complete answer, the request is
answered here, so a task that ignores its cancellation delays nobody. If part of the answer was already sent, the
connection is closed instead.

Errors are mapped here for all doors: a database or peer that is unavailable or slow is 503 with `Retry-After`, a fault
of the code is 500. An application's own 500 answer is replaced likewise.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from enum import Enum
from http import HTTPStatus
from typing import Any, TypeAlias

import structlog

from chassis.doors.admission import AGAIN_SECONDS, TurnedAway
from chassis.failures import is_infrastructure

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

AWAY_SECONDS = 5
"""The retry delay when a server was unavailable or the answer late."""

TRACE_ID = "trace_id"
"""Key in the scope's state for the request's trace id, if the application sets one."""

log = structlog.get_logger(__name__)


class Unanswered(Exception):
    """The answer was begun and cannot be completed; the server closes the connection."""


class Instead(Enum):
    """Why a request is answered in place of the application."""

    BUSY = "busy"
    """The door is full; the request has not begun."""
    AWAY = "away"
    """A server that the answer needs is unavailable or slow."""
    LATE = "late"
    """There was no answer in time."""
    BROKEN = "broken"
    """A fault of the code."""

    @property
    def status(self) -> HTTPStatus:
        return HTTPStatus.INTERNAL_SERVER_ERROR if self is Instead.BROKEN else HTTPStatus.SERVICE_UNAVAILABLE

    @property
    def again_seconds(self) -> int | None:
        """The retry delay; None if retrying does not help."""
        return {Instead.BUSY: AGAIN_SECONDS, Instead.BROKEN: None}.get(self, AWAY_SECONDS)


Otherwise: TypeAlias = Callable[[Scope, Instead], App]
"""Builds the answer in place of the application. `Retry-After` is added to it."""


class Answering:
    """An ASGI application that answers every request within `seconds`."""

    def __init__(self, app: App, seconds: float, otherwise: Otherwise | None = None) -> None:
        self._app = app
        self._seconds = seconds
        self._otherwise = otherwise or plainly

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        task = asyncio.ensure_future(self._app(scope, receive, answer.send))
        task.add_done_callback(_heard)
        try:
            await asyncio.wait({task}, timeout=self._seconds)
        finally:
            late = not task.done()
            if late:
                answer.closed = True
                task.cancel()
        if answer.complete:
            if not late:
                task.result()  # an error after the complete answer is logged by the server
            return
        error = None if late else _ending(task)
        instead = Instead.LATE if late else _reading(error)
        _note(scope, instead, answer, error)
        if answer.begun:
            raise Unanswered(instead.value)
        await self._otherwise(scope, instead)(scope, receive, _with_again(send, instead))


class _Answer:
    """Passes on an application's answer until closed, and drops its 500."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = self.complete = self.closed = False

    async def send(self, message: Message) -> None:
        if self.closed:
            return
        if message["type"] == "http.response.start" and message["status"] == HTTPStatus.INTERNAL_SERVER_ERROR:
            self.closed = True
            return
        self.begun = True
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.complete = True


def _heard(task: "asyncio.Future[None]") -> None:
    """Retrieve a task's error, so that asyncio does not report it as never retrieved."""
    if not task.cancelled():
        task.exception()


def _ending(task: "asyncio.Future[None]") -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()


def _reading(error: BaseException | None) -> Instead:
    if isinstance(error, TurnedAway):
        return Instead.BUSY
    return Instead.AWAY if error is not None and is_infrastructure(error) else Instead.BROKEN


def status_of(error: BaseException) -> int:
    """The status that answers a request whose application raised `error`; a cancelled one was late."""
    return int((Instead.LATE if isinstance(error, asyncio.CancelledError) else _reading(error)).status)


def _note(scope: Scope, instead: Instead, answer: _Answer, error: BaseException | None) -> None:
    """Log one line, with a stack for faults of the code; turned-away requests are only counted."""
    if instead is Instead.BUSY:
        return
    broken = instead is Instead.BROKEN
    log.log(
        30 if instead is Instead.AWAY else 40,
        "request_unanswered",
        why=instead.value,
        method=scope["method"],
        begun=answer.begun,
        error=repr(error)[:300] if error is not None else "",
        exc_info=error if broken else None,
        **{TRACE_ID: scope.get("state", {}).get(TRACE_ID, "")},
    )


def _with_again(send: Send, instead: Instead) -> Send:
    """Add `Retry-After` to an answer."""
    if instead.again_seconds is None:
        return send
    again = (b"retry-after", str(instead.again_seconds).encode())

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), again]}
        await send(message)

    return sent


def plainly(scope: Scope, instead: Instead) -> App:  # noqa: ARG001 - the scope says a language to those who have texts
    """Problem details with the status phrase only."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an ASGI application
        status = instead.status
        body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status}).encode()
        headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer
