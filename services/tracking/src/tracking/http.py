"""The support desk over HTTP: a shipment as JSON or as a page, and search.

`/shipments?id=` takes any id. `/shipments/{id}` is the short form. Clients drop the path segments `.` and `..`, and
`.html` selects the page, so `address` uses the long form for ids that the short form would misread.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple, Protocol
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from chassis.doors import App, Instead, Otherwise, Scope
from chassis.rpc import Place, page_of
from tracking.auth import Admits
from tracking.coverage import TopicCoverage
from tracking.domain.entry import Entry
from tracking.domain.timeline import timeline
from tracking.parked import Parked
from tracking.rendering import Pages, wants_html
from tracking.requests import BadRequest, id_of, language_of, page_name, page_place, page_size
from tracking.views import Reader, View, front_view, shipment_view
from tracking.wording import choose_language, language_for

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SEARCH, UNREADABLE = "search", "unreadable"
"""Names of the paged lists, for their page tokens."""
CHALLENGE = {"WWW-Authenticate": 'Basic realm="tracking", charset="UTF-8"'}


class Timelines(Protocol):
    """The read side of the read model."""

    async def thread(self, thread: str) -> list[Entry]: ...

    async def search(self, query: str, after: str, limit: int) -> list[tuple[str, set[str]]]: ...

    async def unreadable(self, before: Place | None, limit: int) -> tuple[int, list[View]]: ...


class Spans(Protocol):
    async def of(self, ucr: str) -> list[View]: ...

    async def shipments_of_trace(self, trace_id: str) -> set[str]: ...


class Served(NamedTuple):
    """The application and what the chassis needs to serve it."""

    app: App
    paths: Sequence[str]
    """Templates of its routes."""
    otherwise: Otherwise
    """Answers requests in place of the application."""


def make_app(
    timelines: Timelines,
    spans: Spans,
    coverage: Callable[[], Sequence[TopicCoverage]],
    parked: Callable[[], Parked],
    *,
    now: Callable[[], datetime],
    admits: Admits,
    zone: ZoneInfo,
) -> Served:
    """The ASGI application; every route needs staff credentials."""
    desk = _Desk(timelines, spans, coverage, parked, now, zone)
    routes = [
        Route("/", desk.front),
        Route("/search", desk.search),
        Route("/unreadable", desk.unreadable),
        Route("/style.css", desk.style),
        Route("/shipments", desk.shipment_by_id),
        Route("/shipments/{id:path}", desk.shipment),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_guard(admits))],
        exception_handlers={BadRequest: desk.refuse, HTTPException: desk.refuse},
    )
    return Served(app, [each.path for each in routes], desk.unanswered)


def address(thread: str, language: str) -> str:
    """The URL of a thread's page."""
    if thread in (".", "..") or thread.endswith(".html"):
        return f"/shipments?{urlencode({'id': thread, 'lang': language})}"
    return f"/shipments/{quote(thread, safe='')}?{urlencode({'lang': language})}"


def _guard(admits: Admits) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    async def dispatch(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
        if admits(request):
            response = await follow(request)
        else:
            response = PlainTextResponse("staff only", 401, CHALLENGE)
        response.headers.update(HEADERS)
        return response

    return dispatch


class _Desk:
    """The pages and their data."""

    def __init__(
        self,
        timelines: Timelines,
        spans: Spans,
        coverage: Callable[[], Sequence[TopicCoverage]],
        parked: Callable[[], Parked],
        now: Callable[[], datetime],
        zone: ZoneInfo,
    ) -> None:
        self._timelines = timelines
        self._spans = spans
        self._coverage = coverage
        self._parked = parked
        self._now = now
        self._zone = zone
        self._pages = Pages(address)

    async def front(self, request: Request) -> Response:
        reader = self._reader(request)
        front = self._front(reader)
        return self._pages.answer("search.html", request, reader, front=front, query="", results=None, more="")

    async def style(self, request: Request) -> Response:  # noqa: ARG002 - starlette's signature
        return Response(self._pages.style, media_type="text/css")

    async def shipment(self, request: Request) -> Response:
        """Short form: `{id}`, or `{id}.html` for the page."""
        reader, asked = self._reader(request), id_of(request.path_params["id"])
        entries = await self._timelines.thread(asked)
        if entries or not asked.endswith(".html"):
            return await self._shipment(request, reader, asked, entries, as_page=wants_html(request))
        id_ = id_of(asked.removesuffix(".html"))
        return await self._shipment(request, reader, id_, await self._timelines.thread(id_), as_page=True)

    async def shipment_by_id(self, request: Request) -> Response:
        """Long form, for ids with any characters."""
        reader, id_ = self._reader(request), id_of(request.query_params.get("id", ""))
        entries = await self._timelines.thread(id_)
        return await self._shipment(request, reader, id_, entries, as_page=wants_html(request))

    async def _shipment(
        self, request: Request, reader: Reader, id_: str, entries: Sequence[Entry], *, as_page: bool
    ) -> Response:
        """Answer with a shipment; 404 with the coverage in the body if no event has this id.

        `spans=no` skips the spans, a third of the work, for clients that only wait for an event.
        """
        spans = [] if request.query_params.get("spans") == "no" else await self._spans.of(id_)
        view = shipment_view(id_, timeline(entries), spans, self._coverage(), self._parked(), reader)
        status = 200 if view["known"] else 404
        if as_page:
            return self._pages.answer("shipment.html", request, reader, status, shipment=view, front=view)
        return JSONResponse(view, status)

    async def search(self, request: Request) -> Response:
        """Search by exact id, sorted by thread, paged. The page redirects to the shipment if there is one result."""
        reader, size = self._reader(request), page_size(request.query_params)
        after = page_name(request.query_params, SEARCH)
        query = request.query_params.get("q", "").strip()
        found = await self._found(id_of(query), after, size + 1) if query else []
        page, more = page_of(found, size, SEARCH, lambda thread: thread[0])
        listed = [{"thread": thread, "found_by": sorted(kinds)} for thread, kinds in page]
        front = self._front(reader)
        if not wants_html(request):
            return JSONResponse({"query": query, "results": listed, "next_page_token": more, **front})
        if len(listed) == 1 and not after and not more:
            return RedirectResponse(address(found[0][0], reader.language), 303)
        results = listed if query else None
        return self._pages.answer("search.html", request, reader, front=front, query=query, results=results, more=more)

    async def _found(self, query: str, after: str, limit: int) -> list[tuple[str, set[str]]]:
        """Threads with the kinds of id that match the query, sorted; a trace id also finds shipments by spans."""
        found = dict(await self._timelines.search(query, after, limit))
        for ucr in await self._spans.shipments_of_trace(query):
            if ucr > after:
                found.setdefault(ucr, set()).add("trace")
        return sorted(found.items())[:limit]

    async def unreadable(self, request: Request) -> Response:
        """Unreadable records: their number and positions, newest first."""
        size, before = page_size(request.query_params), page_place(request.query_params, UNREADABLE)
        count, documents = await self._timelines.unreadable(before, size + 1)
        page, more = page_of(documents, size, UNREADABLE, lambda each: (each["kept_at"], each["_id"]))
        listed = [
            {"position": each["_id"], "reason": each["reason"], "kept_at": each["kept_at"].isoformat()} for each in page
        ]
        return JSONResponse({"count": count, "records": listed, "next_page_token": more})

    async def refuse(self, request: Request, error: Exception) -> Response:
        """The error answer to a request, with the parameter's name and value, in the language of its headers."""
        reader = self._spoken(choose_language(request.headers.get("accept-language", "")))
        if isinstance(error, BadRequest):
            text = reader.say(f"problem.{error.problem}", value=error.value, expected=error.expected)
            return self._pages.problem(request, reader, 400, text)
        status = error.status_code if isinstance(error, HTTPException) else 500
        code = "not_found" if status == HTTPStatus.NOT_FOUND else "method"
        return self._pages.problem(request, reader, status, reader.say(f"problem.{code}", value=request.url.path))

    def unanswered(self, scope: Scope, instead: Instead) -> App:
        """Answer that there is no answer and why. It never reads as "nothing happened" and shows no internals."""
        request = Request(scope)
        accepted = request.headers.get("accept-language", "")
        reader = self._spoken(language_for(request.query_params.get("lang", ""), accepted))
        text = reader.say(f"problem.{instead.value}", seconds=instead.again_seconds or "")
        title = "failed" if instead is Instead.BROKEN else "later"
        answer = self._pages.problem(request, reader, instead.status, text, title=title)
        answer.headers.update(HEADERS)
        return answer

    def _front(self, reader: Reader) -> View:
        return front_view(self._coverage(), self._parked(), reader)

    def _reader(self, request: Request) -> Reader:
        """Raises BadRequest for an unsupported language."""
        asked = language_of(request.query_params)
        return self._spoken(asked or choose_language(request.headers.get("accept-language", "")))

    def _spoken(self, language: str) -> Reader:
        return Reader(language, self._zone, self._now())
