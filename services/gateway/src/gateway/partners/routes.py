"""`POST /v1/events`: a partner's CloudEvents, structured, binary or in a batch."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from chassis import telemetry
from gateway.domain.access import OwnerKind
from gateway.domain.faults import Fault, Refused
from gateway.formats.cloudevents import (
    BATCH,
    JSON_TYPE,
    STRUCTURED,
    PartnerCloudEvent,
    batch,
    binary,
    structured,
    twice,
)
from gateway.http import refusals
from gateway.http.application import Door
from gateway.http.problems import language, problem
from gateway.http.requests import body, media_type
from gateway.partners.handlers import take_events
from gateway.receipts.answers import accepted, receipt_fields
from gateway.receipts.keeping import Taken

MAX_BYTES = 1024 * 1024
_PREFIX = "ce-"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
"""A quoted string of HTTP (RFC 9110, section 5.6.4)."""
_ESCAPED = re.compile(r"\\(.)")


def router(door: Door) -> APIRouter:
    """The route of partner events."""
    routes = APIRouter()

    @routes.post("/v1/events", status_code=202, summary="Submit one event, or a batch of them")
    async def post_events(request: Request) -> Response:
        principal = await door.enter(request)
        if principal.owner.kind is not OwnerKind.PARTNER:
            raise Refused("scope-missing", [Fault("access.scope", "", {"scope": "events.write"})])
        principal = await door.partners.as_registered(principal)
        kind = media_type(request, (STRUCTURED, BATCH, JSON_TYPE))
        sent = await body(request, MAX_BYTES)
        events = batch(sent) if kind == BATCH else [_single(request, kind, sent)]
        here = telemetry.inject()
        # An event in structured form brings its own trace; one in binary form has that of the request.
        traces = [
            here if kind == JSON_TYPE or isinstance(each, Refused) else telemetry.outsiders(each.trace) or here
            for each in events
        ]
        now = door.clock.now()
        answers = await take_events(door.receipts, principal, events, [now] * len(events), traces, door.limits)
        if kind == BATCH:
            refusals.note_batch(request, [each for each in answers if isinstance(each, Refused)])
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
    """The value of an attribute's header, out of its quotes, then out of its percent signs, as UTF-8.

    Source: CloudEvents 1.0.2, HTTP binding, section 3.1.3.2.

    Raises:
        Refused: it stands there twice, holds what is neither ASCII nor encoded, or is not so quoted or encoded.
    """
    given = request.headers.getlist(name)
    if len(given) > 1:
        raise Refused("invalid-event", [twice(name, given[0], given[1])])
    if not given[0].isascii():
        raise Refused("invalid-event", [Fault("event.header_not_ascii", name)])
    try:
        return unquote(_unquoted(given[0]), errors="strict")
    except ValueError:
        raise Refused("invalid-event", [Fault("field.form", name)]) from None


def _unquoted(value: str) -> str:
    """A header's value without the quotes around it, where it has any.

    Raises:
        ValueError: the quotes do not close, or close within.
    """
    if not value.startswith('"'):
        return value
    quoted = _QUOTED.fullmatch(value)
    if quoted is None:
        raise ValueError(value)
    return _ESCAPED.sub(r"\1", quoted[1])


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
