"""The layers around every HTTP application: metrics, an answer in time, and a place.

From the outside in: each request is counted and timed by route, method and status; it is answered within the time
limit whatever happens; and it is admitted if a place is free. The route label is the template; all unknown paths share
one label, so that clients cannot create labels.
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
"""The route label of an unknown path."""
OTHER: Final = "other"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ASKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, so they publish nothing."""
SENDING_SECONDS: Final = 0.1
"""How long a place is kept while a body arrives; most arrive sooner."""

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
        paths: the templates of its routes, such as `/v1/receipts/{id}` or `/files/{name:path}`, in matching order.
        otherwise: builds answers in its place, in its format and the caller's language.
        overloaded: whether the outbox is overloaded now.
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
    """The regular expression of a template; a parameter is one segment, a `:path` parameter the rest."""
    pattern, end = "", 0
    for found in _PARAMETER.finditer(template):
        pattern += re.escape(template[end : found.start()]) + ("(?s:.*)" if found[1] else "[^/]+")
        end = found.end()
    return pattern + re.escape(template[end:])


class _Counted:
    """An application whose requests are counted, timed, and measured while in progress."""

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
            status = "cut"  # the answer was begun and not completed
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
    """An application that holds a place for each request it works on."""

    def __init__(self, app: App, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = await self._admission.enter(publishes=scope["method"] not in _ASKING)
        whole = False

        async def received() -> Message:
            """A part of the body; waits for a slow client without a place. After the end comes only its disconnect."""
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
                place.leave()  # the work is done, however slowly the client reads
            await send(message)

        try:
            await self._app(scope, received, sent)
        finally:
            place.leave()
