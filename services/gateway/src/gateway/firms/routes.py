"""What firms submit: declarations as JSON or as a WCO document, projects, mandates."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from chassis import telemetry
from gateway.domain.access import Principal
from gateway.domain.faults import Fault, Refused
from gateway.firms.handlers import Lodged, take_declaration, take_mandate, take_project, take_wco_declaration
from gateway.formats.cloudevents import JSON_TYPE
from gateway.formats.documents import read_json
from gateway.http.application import Door
from gateway.http.requests import body, charset, media_type
from gateway.receipts.answers import accepted
from gateway.receipts.keeping import Original, Receipts, Taken

MAX_BYTES = 4 * 1024 * 1024
_XML = ("application/xml", "text/xml")

Take = Callable[[Receipts, Lodged], Awaitable[Taken]]


def router(door: Door) -> APIRouter:
    """The routes of firms' submissions."""
    routes = APIRouter()

    @routes.post("/v1/declarations", status_code=202, summary="Lodge a declaration: JSON, or a WCO document as XML")
    async def post_declaration(request: Request) -> Response:
        principal = await door.enter(request)
        kind = media_type(request, (JSON_TYPE, *_XML))
        sent = await body(request, MAX_BYTES)
        function = request.query_params.get("function", "original")
        if kind in _XML:
            stated = charset(request)
            # Whoever reads the original again needs to know what its bytes were said to be in.
            original = Original(sent, f"{kind}; charset={stated}" if stated else kind)
            lodged = _lodged(door, request, principal, original, {}, function)
            return accepted(await take_wco_declaration(door.receipts, lodged, stated), request)
        lodged = _lodged(door, request, principal, Original(sent, kind), _fields(sent, "invalid-declaration"), function)
        return accepted(await take_declaration(door.receipts, lodged), request)

    @routes.post("/v1/projects", status_code=202, summary="Submit an investment project that seeks capital")
    async def post_project(request: Request) -> Response:
        return await _post(door, request, take_project, "invalid-project")

    @routes.post("/v1/mandates", status_code=202, summary="Submit an investor's mandate")
    async def post_mandate(request: Request) -> Response:
        return await _post(door, request, take_mandate, "invalid-mandate")

    return routes


async def _post(door: Door, request: Request, take: Take, problem: str) -> Response:
    principal = await door.enter(request)
    kind = media_type(request, (JSON_TYPE,))
    sent = await body(request, MAX_BYTES)
    lodged = _lodged(door, request, principal, Original(sent, kind), _fields(sent, problem))
    return accepted(await take(door.receipts, lodged), request)


def _fields(sent: bytes, problem: str) -> dict[str, Any]:
    fields = read_json(sent)
    if not isinstance(fields, dict):
        raise Refused(problem, [Fault("field.not_an_object")])
    return fields


def _lodged(
    door: Door,
    request: Request,
    principal: Principal,
    original: Original,
    fields: Mapping[str, Any],
    function: str = "",
) -> Lodged:
    return Lodged(
        principal=principal,
        original=original,
        fields=fields,
        received_at=door.clock.now(),
        trace=telemetry.inject(),
        own_id=request.headers.get("idempotency-key", ""),
        function=function,
    )
