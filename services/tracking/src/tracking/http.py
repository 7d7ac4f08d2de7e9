"""The support desk's door: a shipment as JSON or as a page, and the search that finds it."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from contracts.texts import LANGUAGES
from tracking.auth import Admits
from tracking.coverage import TopicCoverage
from tracking.domain.entry import Entry
from tracking.domain.timeline import timeline
from tracking.views import View, coverage_view, shipment_view
from tracking.wording import choose_language, say

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
CHALLENGE = {"WWW-Authenticate": 'Basic realm="tracking", charset="UTF-8"'}
MAX_QUERY = 200

_PAGES = Path(__file__).parent / "pages"


class Timelines(Protocol):
    """The part of the read model that is read."""

    async def thread(self, thread: str) -> list[Entry]: ...

    async def search(self, query: str) -> dict[str, set[str]]: ...

    async def unreadable(self) -> tuple[int, list[View]]: ...


class Spans(Protocol):
    async def of(self, ucr: str) -> list[View]: ...

    async def shipments_of_trace(self, trace_id: str) -> set[str]: ...


def make_app(
    timelines: Timelines,
    spans: Spans,
    coverage: Callable[[], Sequence[TopicCoverage]],
    *,
    admits: Admits,
    zone: ZoneInfo,
) -> Starlette:
    """The ASGI application; everything in it is for staff."""
    desk = _Desk(timelines, spans, coverage, zone)
    routes = [
        Route("/", desk.front),
        Route("/search", desk.search),
        Route("/unreadable", desk.unreadable),
        Route("/style.css", desk.style),
        Route("/shipments/{ucr:path}", desk.shipment),
    ]
    return Starlette(routes=routes, middleware=[Middleware(BaseHTTPMiddleware, dispatch=_guard(admits))])


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
        self, timelines: Timelines, spans: Spans, coverage: Callable[[], Sequence[TopicCoverage]], zone: ZoneInfo
    ) -> None:
        self._timelines = timelines
        self._spans = spans
        self._coverage = coverage
        self._zone = zone
        # `autoescape` is what keeps a partner's text from becoming markup.
        self._pages = Environment(loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined)

    async def front(self, request: Request) -> Response:
        return self._page("search.html", request, query="", results=None, coverage=self._covered(request))

    async def style(self, request: Request) -> Response:  # noqa: ARG002 - starlette's signature
        return Response((_PAGES / "style.css").read_text(encoding="utf-8"), media_type="text/css")

    async def shipment(self, request: Request) -> Response:
        """404 where nothing carries this id; the body says what was read, so that it can be told from silence.

        With `spans=no` nothing is looked up of them: they are a third of the work, and who only waits needs none.
        """
        asked = request.path_params["ucr"]
        ucr = asked.removesuffix(".html")[:MAX_QUERY]
        language = _language(request)
        steps = timeline(await self._timelines.thread(ucr))
        spans = [] if request.query_params.get("spans") == "no" else await self._spans.of(ucr)
        view = shipment_view(ucr, steps, spans, self._coverage(), language=language, zone=self._zone)
        status = 200 if view["known"] else 404
        if asked.endswith(".html") or _wants_html(request):
            return self._page("shipment.html", request, status, shipment=view)
        return JSONResponse(view, status)

    async def search(self, request: Request) -> Response:
        """Exact ids only. A page goes straight to the one shipment that is found."""
        query = request.query_params.get("q", "").strip()[:MAX_QUERY]
        found = await self._timelines.search(query) if query else {}
        for ucr in await self._spans.shipments_of_trace(query) if query else ():
            found.setdefault(ucr, set()).add("trace")
        results = [{"thread": thread, "found_by": sorted(kinds)} for thread, kinds in sorted(found.items())]
        if not _wants_html(request):
            return JSONResponse({"query": query, "results": results, "coverage": self._covered(request)})
        if len(results) == 1:
            target = f"/shipments/{quote(str(results[0]['thread']), safe='')}"
            return RedirectResponse(f"{target}?lang={_language(request)}", 303)
        return self._page("search.html", request, query=query, results=results, coverage=self._covered(request))

    async def unreadable(self, request: Request) -> Response:  # noqa: ARG002 - starlette's signature
        """Records that could not be read: how many, and where the newest stand."""
        count, documents = await self._timelines.unreadable()
        listed = [
            {"position": each["_id"], "reason": each["reason"], "kept_at": each["kept_at"].isoformat()}
            for each in documents
        ]
        return JSONResponse({"count": count, "records": listed})

    def _covered(self, request: Request) -> list[View]:
        return coverage_view(self._coverage(), (), _language(request))

    def _page(self, name: str, request: Request, status: int = 200, /, **values: Any) -> Response:
        language = _language(request)

        def words(code: str, **parameters: object) -> str:
            return say(code, language, **parameters)

        page = self._pages.get_template(name)
        return HTMLResponse(page.render(say=words, language=language, languages=LANGUAGES, **values), status)


def _language(request: Request) -> str:
    return choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))


def _wants_html(request: Request) -> bool:
    """Whether the client names HTML before JSON."""
    accept = request.headers.get("accept", "")
    html = accept.find("text/html")
    json = accept.find("application/json")
    return html >= 0 and (json < 0 or html < json)
