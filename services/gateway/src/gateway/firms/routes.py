"""Routes of firms' submissions: declarations as JSON or as a WCO document, projects, mandates."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from chassis import telemetry
from chassis.clock import Clock
from gateway.domain.access import Principal
from gateway.domain.faults import Fault, Refused
from gateway.firms.handlers import Lodged, take_declaration, take_mandate, take_project, take_wco_declaration
from gateway.formats.cloudevents import JSON_TYPE
from gateway.formats.json_text import read_json
from gateway.http.admission import Admission
from gateway.http.requests import body, charset, media_type
from gateway.receipts import Original, Receipts, Taken, accepted

MAX_BYTES = 4 * 1024 * 1024
_XML = ("application/xml", "text/xml")

Take = Callable[[Receipts, Lodged], Awaitable[Taken]]


def router(admission: Admission, receipts: Receipts, clock: Clock) -> APIRouter:
    """The routes of firms' submissions."""
    routes = APIRouter()

    @routes.post("/v1/declarations", status_code=202, summary="Lodge a declaration: JSON, or a WCO document as XML")
    async def post_declaration(request: Request) -> Response:
        principal = await admission.enter(request)
        kind = media_type(request, (JSON_TYPE, *_XML))
        sent = await body(request, MAX_BYTES)
        function = request.query_params.get("function", "original")
        if kind in _XML:
            stated = charset(request)
            # A later reader of the original needs the charset that was stated for its bytes.
            original = Original(sent, f"{kind}; charset={stated}" if stated else kind)
            lodged = _lodged(request, principal, clock.now(), original, {}, function)
            return accepted(await take_wco_declaration(receipts, lodged, stated), request)
        fields = _fields(sent, "invalid-declaration")
        lodged = _lodged(request, principal, clock.now(), Original(sent, kind), fields, function)
        return accepted(await take_declaration(receipts, lodged), request)

    async def post(request: Request, take: Take, problem: str) -> Response:
        principal = await admission.enter(request)
        kind = media_type(request, (JSON_TYPE,))
        sent = await body(request, MAX_BYTES)
        lodged = _lodged(request, principal, clock.now(), Original(sent, kind), _fields(sent, problem))
        return accepted(await take(receipts, lodged), request)

    @routes.post("/v1/projects", status_code=202, summary="Submit an investment project that seeks capital")
    async def post_project(request: Request) -> Response:
        return await post(request, take_project, "invalid-project")

    @routes.post("/v1/mandates", status_code=202, summary="Submit an investor's mandate")
    async def post_mandate(request: Request) -> Response:
        return await post(request, take_mandate, "invalid-mandate")

    return routes


def _fields(sent: bytes, problem: str) -> dict[str, Any]:
    fields = read_json(sent)
    if not isinstance(fields, dict):
        raise Refused(problem, [Fault("field.not_an_object")])
    return fields


def _lodged(
    request: Request,
    principal: Principal,
    received_at: datetime,
    original: Original,
    fields: Mapping[str, Any],
    function: str = "",
) -> Lodged:
    return Lodged(
        principal=principal,
        original=original,
        fields=fields,
        received_at=received_at,
        trace=telemetry.inject(),
        own_id=request.headers.get("idempotency-key", ""),
        function=function,
    )
