"""The HTTP application: routes, who may pass, and how refusals are told."""

from dataclasses import dataclass
from math import ceil

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from chassis.clock import Clock
from gateway.domain.access import Principal
from gateway.domain.faults import Refused
from gateway.domain.pace import Pace
from gateway.http import refusals
from gateway.http.problems import language, response
from gateway.http.tracing import Traced
from gateway.keys.authentication import Authenticator
from gateway.notices.notifications_client import Notices
from gateway.outcomes.partner_events import EventOutcomes
from gateway.outcomes.subscribers import Outcomes
from gateway.partners.inbox import Quarantine
from gateway.partners.known import KnownPartners
from gateway.partners.plausible import Limits
from gateway.receipts.keeping import Receipts

_NOT_FOUND, _NOT_ALLOWED = 404, 405


@dataclass(frozen=True)
class Door:
    """What the routes work with."""

    receipts: Receipts
    quarantine: Quarantine
    outcomes: Outcomes
    event_outcomes: EventOutcomes
    limits: Limits
    notices: Notices
    authenticator: Authenticator
    partners: KnownPartners
    clock: Clock
    pace: Pace

    async def enter(self, request: Request, *, cost: float = 1.0) -> Principal:
        """Who is at the door, once its pace allows it.

        Raises:
            Refused: no valid key, or too fast.
        """
        principal = await self.authenticator.principal(request.headers.get("authorization"))
        refusals.entered(request, principal)
        wait = self.pace.wait_seconds(principal.key_id, self.clock.monotonic(), cost)
        if wait > 0:
            raise Refused("too-many-requests", seconds=ceil(wait))
        return principal


def create_app(door: Door) -> FastAPI:
    """The ASGI application; what it raises is answered by the server, as `problems.unanswered` words it."""
    # Imported here: the routes need the class above.
    from gateway.firms import routes as lodging  # noqa: PLC0415
    from gateway.notices import routes as notices  # noqa: PLC0415
    from gateway.partners import routes as events  # noqa: PLC0415
    from gateway.receipts import routes as reading  # noqa: PLC0415

    app = FastAPI(
        # Its own would start a second trace beside ours, and take a caller's baggage.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        title="Trade gateway",
        version="1",
        description="The door for partners and firms: events, declarations, projects, mandates, receipts.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        # A redirect would be built from the Host that a caller names.
        redirect_slashes=False,
    )
    for routes in (events, lodging, notices, reading):
        app.include_router(routes.router(door))

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        refusals.note(request, error)
        return response(error, _spoken(request))

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        problems = {_NOT_FOUND: "not-found", _NOT_ALLOWED: "method-not-allowed"}
        answer = response(Refused(problems.get(error.status_code, "internal")), _spoken(request))
        answer.headers.update(error.headers or {})
        return answer

    app.add_middleware(Traced)
    return app


def paths_of(app: FastAPI) -> list[str]:
    """The templates of its routes."""
    return [each.path for each in iter_route_contexts(app.routes) if each.path]


def _spoken(request: Request) -> str:
    return language(request.headers.get("accept-language"))
