"""The HTTP application: the routes of the slices, and the answers to refusals."""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from gateway.domain.faults import Refused
from gateway.http import refusals
from gateway.http.problems import response
from gateway.http.tracing import Traced
from gateway.http.wording import language_of

_NOT_FOUND, _NOT_ALLOWED = 404, 405


def create_app(routers: Iterable[APIRouter]) -> FastAPI:
    """The ASGI application; the server answers what it raises, by `problems.unanswered`."""
    app = FastAPI(
        # The framework's telemetry would start a second trace, and accept a caller's baggage.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        title="Trade gateway",
        version="1",
        description="API for partners and firms: events, declarations, projects, mandates, receipts.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        # A redirect would be built from the caller's Host header.
        redirect_slashes=False,
    )
    for router in routers:
        app.include_router(router)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        refusals.note(request, error)
        return response(error, language_of(request))

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        problems = {_NOT_FOUND: "not-found", _NOT_ALLOWED: "method-not-allowed"}
        answer = response(Refused(problems.get(error.status_code, "internal")), language_of(request))
        answer.headers.update(error.headers or {})
        return answer

    app.add_middleware(Traced)
    return app


def paths_of(app: FastAPI) -> list[str]:
    """The path templates of the application's routes."""
    return [each.path for each in iter_route_contexts(app.routes) if each.path]
