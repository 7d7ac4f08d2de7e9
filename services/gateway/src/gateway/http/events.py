"""`POST /v1/events`: a partner's CloudEvents, structured, binary or in a batch."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from chassis import telemetry
from gateway.cloudevents import BATCH, JSON_TYPE, STRUCTURED, PartnerCloudEvent, batch, binary, structured
from gateway.domain.access import OwnerKind
from gateway.domain.faults import Fault, Refused
from gateway.http.answers import accepted, receipt_fields
from gateway.http.door import Door
from gateway.http.problems import language, problem
from gateway.http.requests import body, media_type
from gateway.partner_handlers import take_events
from gateway.receipts import Taken

MAX_BYTES = 1024 * 1024
_PREFIX = "ce-"


def router(door: Door) -> APIRouter:
    """The route of partner events."""
    routes = APIRouter()

    @routes.post("/v1/events", status_code=202, summary="Submit one event, or a batch of them")
    async def post_events(request: Request) -> Response:
        principal = await door.enter_to_write(request)
        if principal.owner.kind is not OwnerKind.PARTNER:
            raise Refused("scope-missing", [Fault("access.scope", "", {"scope": "events.write"})])
        principal = await door.partners.as_registered(principal)
        kind = media_type(request, (STRUCTURED, BATCH, JSON_TYPE))
        sent = await body(request, MAX_BYTES)
        events = batch(sent) if kind == BATCH else [_single(request, kind, sent)]
        here = telemetry.inject()
        # An event in structured form brings its own trace; one in binary form has that of the request.
        traces = [here if kind == JSON_TYPE or isinstance(each, Refused) else each.trace or here for each in events]
        now = door.clock.now()
        answers = await take_events(door.receipts, principal, events, [now] * len(events), traces, door.limits)
        if kind == BATCH:
            return JSONResponse({"results": _results(answers, events, request)}, 202)
        answer = answers[0]
        if isinstance(answer, Refused):
            raise answer
        return accepted(answer, request)

    return routes


def _single(request: Request, kind: str, sent: bytes) -> PartnerCloudEvent:
    if kind == STRUCTURED:
        return structured(sent)
    headers = dict(request.headers)
    attributes = {name.removeprefix(_PREFIX): _attribute(request, name) for name in headers if name.startswith(_PREFIX)}
    if not attributes:
        raise Refused("media-type-not-read", found=f"{JSON_TYPE} without ce-* headers", taken=f"{STRUCTURED}, {BATCH}")
    return binary(attributes, headers, sent, prefix=_PREFIX)


def _attribute(request: Request, name: str) -> str:
    """The value of an attribute's header: percent-encoded UTF-8, by CloudEvents' HTTP binding.

    Raises:
        Refused: it stands there twice, or is not so encoded.
    """
    given = request.headers.getlist(name)
    try:
        if len(given) == 1:
            return unquote(given[0], errors="strict")
    except UnicodeDecodeError:
        pass
    raise Refused("invalid-event", [Fault("field.form", name)])


def _results(
    answers: Sequence[Taken | Refused], events: Sequence[PartnerCloudEvent | Refused], request: Request
) -> list[dict[str, Any]]:
    """Per item what became of it, in the order sent."""
    spoken = language(request.headers.get("accept-language"))
    results = []
    for index, (answer, event) in enumerate(zip(answers, events, strict=True)):
        result: dict[str, Any] = {"index": index}
        if isinstance(event, PartnerCloudEvent):
            result["submission_id"] = event.id
        if isinstance(answer, Refused):
            result |= {"status": "refused", "problem": problem(answer, spoken)}
        else:
            result |= receipt_fields(answer, spoken)
        results.append(result)
    return results
