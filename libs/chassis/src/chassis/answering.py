"""No request stays open: an application's answer in time, or one in its place.

The application runs as a task of its own. Where that does not end in time, or ends without a whole
answer, whatever it raises, the request is answered here: a task that does not hear its cancellation
holds up nobody. What has begun to leave cannot be taken back: there the connection is closed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, TypeAlias

import structlog

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

Otherwise: TypeAlias = Callable[[Scope, HTTPStatus], App]
"""What answers a request in the application's place: with 503 what was late, with 500 what broke."""

log = structlog.get_logger(__name__)


class Unanswered(Exception):
    """The answer had begun and does not end: the server closes the connection."""


class Answering:
    """An ASGI application that answers every request within so many seconds."""

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
                task.result()  # what broke behind its own answer is the server's to tell
            return
        why = f"no answer within {self._seconds:g} s" if late else _ending(task)
        log.error("request_unanswered", method=scope["method"], begun=answer.begun, why=why)
        if answer.begun:
            raise Unanswered(why)
        status = HTTPStatus.SERVICE_UNAVAILABLE if late else HTTPStatus.INTERNAL_SERVER_ERROR
        await self._otherwise(scope, status)(scope, receive, send)


class _Answer:
    """What an application has sent of its answer; once closed, it goes nowhere."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = self.complete = self.closed = False

    async def send(self, message: Message) -> None:
        if self.closed:
            return
        self.begun = True
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.complete = True


def _heard(task: "asyncio.Future[None]") -> None:
    """Take note of what a task ended with, so that nobody misses it later."""
    if not task.cancelled():
        task.exception()


def _ending(task: "asyncio.Future[None]") -> str:
    return "it was cancelled" if task.cancelled() else repr(task.exception())[:300]


def plainly(scope: Scope, status: HTTPStatus) -> App:  # noqa: ARG001 - the scope says a language to those who have texts
    """Problem details without a text of their own."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an ASGI application
        body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status}).encode()
        headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer
