"""What stands in front of every HTTP application: a count, an answer in time, and a place.

From the outside in: each request is counted by route, method and status and timed; it is answered within so many
seconds, whatever becomes of it; and it is let in where there is room. A route's name is its template, and a path
without one has no name of its own, so that nobody makes labels up.
"""

import asyncio
import re
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from prometheus_client import Gauge, Histogram

from chassis.doors.admission import Admission, Overloaded, never
from chassis.doors.answering import Answering, App, Message, Otherwise, Receive, Scope, Send
from chassis.settings import HttpSettings
from chassis.telemetry import metrics

DOOR: Final = "http"
UNKNOWN: Final = "unknown"
"""The route of a path that has none."""
OTHER: Final = "other"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ASKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, and so publish nothing."""
SENDING_SECONDS: Final = 0.1
"""How long a place is kept for a sender: most bodies have come before that."""

_PARAMETER = re.compile(r"\{[^{}:]+(:path)?\}")


def http_door(
    app: App,
    settings: HttpSettings,
    *,
    paths: Iterable[str],
    otherwise: Otherwise | None = None,
    overloaded: Overloaded = never,
) -> App:
    """An application behind a door.

    Args:
        paths: the templates of its routes, such as `/v1/receipts/{id}` or `/files/{name:path}`, in its order.
        otherwise: what answers in its place, in its own format and the caller's language.
        overloaded: whether nothing may be published now.
    """
    admitted = _Admitted(app, Admission(DOOR, settings, overloaded))
    return _Counted(Answering(admitted, settings.answer_seconds, otherwise), Routes(paths))


class Routes:
    """Which route a path belongs to."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._routes = [(re.compile(_pattern(path)), path) for path in dict.fromkeys(paths)]

    def of(self, path: str) -> str:
        """The template of the first route that the path fits."""
        return next((template for pattern, template in self._routes if pattern.fullmatch(path)), UNKNOWN)


def _pattern(template: str) -> str:
    """A template as an expression; a parameter is one segment, a `:path` all that is left."""
    pattern, end = "", 0
    for found in _PARAMETER.finditer(template):
        pattern += re.escape(template[end : found.start()]) + ("(?s:.*)" if found[1] else "[^/]+")
        end = found.end()
    return pattern + re.escape(template[end:])


class _Counted:
    """An application whose requests are counted, timed, and known while they are in hand."""

    def __init__(self, app: App, routes: Routes) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["method"] in _METHODS else OTHER
        route = self._routes.of(scope["path"])
        status = "cut"

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        in_hand, began = _in_hand(route, method), time.perf_counter()
        in_hand.inc()
        try:
            await self._app(scope, receive, sent)
        except BaseException:
            status = "cut"  # what was begun does not end
            raise
        finally:
            in_hand.dec()
            _seconds(route, method, status).observe(time.perf_counter() - began)


@lru_cache(256)
def _in_hand(route: str, method: str) -> Gauge:
    return metrics.HTTP_IN_HAND.labels(DOOR, route, method)


@lru_cache(1024)
def _seconds(route: str, method: str, status: str) -> Histogram:
    return metrics.HTTP_SECONDS.labels(DOOR, route, method, status)


class _Admitted:
    """An application that has a place for each request at which it works."""

    def __init__(self, app: App, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = await self._admission.enter(publishes=scope["method"] not in _ASKING)
        whole = False

        async def received() -> Message:
            """A part of the body; a slow sender is waited for without a place. Behind the end is only its leaving."""
            nonlocal whole
            if whole:
                return await receive()
            leaving = asyncio.get_running_loop().call_later(SENDING_SECONDS, place.leave)
            try:
                message = await receive()
            finally:
                leaving.cancel()
            whole = not message.get("more_body")
            await place.take()
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                place.leave()  # the work is done, however slowly its answer is read
            await send(message)

        try:
            await self._app(scope, received, sent)
        finally:
            place.leave()
