"""`POST /v1/events`, and the partner's own quarantine."""

import base64
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from chassis import telemetry
from chassis.clock import Clock
from chassis.rpc import BadCursor, cursor, place_of
from gateway.domain.access import OwnerKind, Principal
from gateway.domain.faults import Fault, Refused
from gateway.formats.cloudevents import BATCH, JSON_TYPE, PartnerCloudEvent
from gateway.http import refusals
from gateway.http.admission import Admission
from gateway.http.problems import problem
from gateway.http.requests import bad_page, body, media_type, page_asked
from gateway.http.wording import language_of
from gateway.partners.handlers import take_events
from gateway.partners.http_binding import MEDIA_TYPES, events_in
from gateway.partners.known import KnownPartners
from gateway.partners.plausible import Limits
from gateway.partners.quarantine import Quarantine, Quarantined, fault_of
from gateway.receipts import Receipts, Taken, accepted, receipt_fields

MAX_BYTES = 1024 * 1024


def event_routes(
    admission: Admission, partners: KnownPartners, receipts: Receipts, clock: Clock, limits: Limits
) -> APIRouter:
    """The route of partner events."""
    routes = APIRouter()

    @routes.post("/v1/events", status_code=202, summary="Submit one event, or a batch of them")
    async def post_events(request: Request) -> Response:
        principal = await admission.enter(request)
        if principal.owner.kind is not OwnerKind.PARTNER:
            raise Refused("scope-missing", [Fault("access.scope", "", {"scope": "events.write"})])
        principal = await partners.as_registered(principal)
        kind = media_type(request, MEDIA_TYPES)
        events = events_in(request, kind, await body(request, MAX_BYTES))
        here = telemetry.inject()
        # An event in structured mode has its own trace; in binary mode it has the request's.
        traces = [
            here if kind == JSON_TYPE or isinstance(each, Refused) else telemetry.outsiders(each.trace) or here
            for each in events
        ]
        now = clock.now()
        answers = await take_events(receipts, principal, events, [now] * len(events), traces, limits)
        if kind == BATCH:
            refusals.note_batch(request, [each for each in answers if isinstance(each, Refused)])
            return JSONResponse({"results": _results(answers, events, language_of(request))}, 202)
        answer = answers[0]
        if isinstance(answer, Refused):
            raise answer
        return accepted(answer, request)

    return routes


def quarantine_routes(admission: Admission, quarantine: Quarantine) -> APIRouter:
    """The routes of a partner's quarantine."""
    routes = APIRouter()

    @routes.get("/v1/quarantine", summary="Records of the partner's own topic that were refused, newest first")
    async def get_quarantine(request: Request) -> Response:
        partner = _partner(await admission.enter(request))
        limit, page = page_asked(request)
        list_ = f"quarantine/{partner}"
        try:
            before = place_of(page, list_)
        except BadCursor:
            raise bad_page() from None
        found = await quarantine.of_partner(partner, before=before, limit=limit + 1)
        fields: dict[str, Any] = {"records": [_quarantined(each, language_of(request)) for each in found[:limit]]}
        if len(found) > limit:
            fields["next_page"] = cursor(found[limit - 1].place, list_)
        return JSONResponse(fields)

    @routes.get("/v1/quarantine/{id_:path}", summary="One refused record with its original bytes")
    async def get_quarantined(request: Request, id_: str) -> Response:
        found = await quarantine.get(_partner(await admission.enter(request)), id_)
        if found is None:
            raise Refused("not-found")
        headers = {name: (raw or b"").decode(errors="replace") for name, raw in found.headers}
        value = None if found.value is None else base64.b64encode(found.value).decode()
        return JSONResponse(_quarantined(found, language_of(request)) | {"headers": headers, "value_base64": value})

    return routes


def _results(
    answers: Sequence[Taken | Refused], events: Sequence[PartnerCloudEvent | Refused], lang: str
) -> list[dict[str, Any]]:
    """The result of each event, in the order sent."""
    results = []
    for index, (answer, event) in enumerate(zip(answers, events, strict=True)):
        result: dict[str, Any] = {"index": index}
        if isinstance(event, PartnerCloudEvent):
            result["submission_id"] = event.id
        if isinstance(answer, Refused):
            result |= {"status": "refused", "problem": problem(answer, lang)}
        else:
            result |= receipt_fields(answer, lang)
        results.append(result)
    return results


def _partner(principal: Principal) -> str:
    if principal.owner.kind is not OwnerKind.PARTNER:
        raise Refused("not-found")
    return principal.owner.code


def _quarantined(record: Quarantined, lang: str) -> dict[str, Any]:
    """The partner's view of a refused record: its position and the reasons."""
    refused = Refused(record.problem, [fault_of(each) for each in record.faults], **record.values)
    details = problem(refused, lang)
    details.pop("trace_id", None)
    fields: dict[str, Any] = {"id": record.id, "refused_at": record.at.isoformat(), "problem": details}
    if record.submission:
        fields["submission"] = dict(record.submission)
    if record.trace_id:
        fields["trace_id"] = record.trace_id
    return fields
