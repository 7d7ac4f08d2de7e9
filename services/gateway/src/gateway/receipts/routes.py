"""What a submitter may look at: its receipts, its declarations, its quarantine. Nothing of anybody else."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from chassis.rpc import BadCursor, cursor, place_of
from gateway.domain.access import OwnerKind, Principal
from gateway.domain.faults import Refused
from gateway.domain.outcome import RECEIVED, Step, of_receipt, of_receipts, summary
from gateway.domain.receipt import Kind, Receipt
from gateway.http.application import Door
from gateway.http.problems import in_words, language, problem
from gateway.http.requests import bad_page, page_asked
from gateway.outcomes import partner_events as event_outcomes
from gateway.partners.inbox import Quarantined, fault_of
from gateway.receipts.answers import shown


def router(door: Door) -> APIRouter:
    """The routes for reading."""
    routes = APIRouter()

    @routes.get("/v1/receipts/{id_}", summary="A receipt, and what became of its submission")
    async def get_receipt(request: Request, id_: str) -> Response:
        receipt = await _own_receipt(door, await door.enter(request), id_)
        fields = shown(receipt, language(request.headers.get("accept-language"))) | {"status": RECEIVED}
        if receipt.kind is Kind.DECLARATION:
            steps = of_receipt(await door.outcomes.steps(receipt.declaration_id), receipt.id)
            declaration = _declaration(receipt.declaration_id, steps, request)
            fields |= {"status": declaration["state"], "declaration": declaration}
        if receipt.kind is Kind.EVENT:
            spoken = language(request.headers.get("accept-language"))
            fields |= await event_outcomes.told(door.event_outcomes, receipt, spoken)
        return JSONResponse(fields)

    @routes.get("/v1/receipts/{id_}/original", summary="The submission byte by byte")
    async def get_original(request: Request, id_: str) -> Response:
        receipt = await _own_receipt(door, await door.enter(request), id_)
        original = await door.receipts.original(receipt)
        if original is None:
            raise Refused("not-found")
        # Named here and not as `media_type`: to a text's one a charset would be added that it does not have.
        headers = {"Content-Type": receipt.media_type, "X-Content-Type-Options": "nosniff"}
        return Response(original.body, headers=headers | {"Content-Disposition": "attachment"})

    @routes.get("/v1/declarations/{id_}", summary="A declaration by its id or by one of its receipts")
    async def get_declaration(request: Request, id_: str) -> Response:
        principal = await door.enter(request)
        receipt = await door.receipts.get(id_)
        declaration_id = receipt.declaration_id if receipt is not None else id_
        receipts = await door.receipts.of_declaration(declaration_id) if declaration_id else []
        mine = [each for each in receipts if _is_of(principal, each)]
        if not mine:
            raise Refused("not-found")
        steps = await door.outcomes.steps(declaration_id)
        if not principal.is_firm(mine[0].declarant):
            # To call oneself somebody's agent opens no more than what became of one's own submissions.
            steps = of_receipts(steps, [each.id for each in mine])
        fields = _declaration(declaration_id, steps, request)
        named = {"lrn": mine[0].lrn, "ucr": mine[-1].ucr, "receipts": [each.id for each in mine]}
        return JSONResponse(fields | named)

    @routes.get("/v1/quarantine", summary="Records of the partner's own topic that were refused, newest first")
    async def get_quarantine(request: Request) -> Response:
        partner = _partner(await door.enter(request))
        limit, page = page_asked(request)
        list_ = f"quarantine/{partner}"
        try:
            before = place_of(page, list_)
        except BadCursor:
            raise bad_page() from None
        found = await door.quarantine.of_partner(partner, before=before, limit=limit + 1)
        fields: dict[str, Any] = {"records": [_quarantined(each, request) for each in found[:limit]]}
        if len(found) > limit:
            fields["next_page"] = cursor(found[limit - 1].place, list_)
        return JSONResponse(fields)

    @routes.get("/v1/quarantine/{id_:path}", summary="One refused record with its original bytes")
    async def get_quarantined(request: Request, id_: str) -> Response:
        found = await door.quarantine.get(_partner(await door.enter(request)), id_)
        if found is None:
            raise Refused("not-found")
        headers = {name: (raw or b"").decode(errors="replace") for name, raw in found.headers}
        value = None if found.value is None else base64.b64encode(found.value).decode()
        return JSONResponse(_quarantined(found, request) | {"headers": headers, "value_base64": value})

    return routes


async def _own_receipt(door: Door, principal: Principal, id_: str) -> Receipt:
    """A receipt of the caller. One of somebody else is as absent as one that never was."""
    receipt = await door.receipts.get(id_)
    if receipt is None or not _is_of(principal, receipt):
        raise Refused("not-found")
    return receipt


def _is_of(principal: Principal, receipt: Receipt) -> bool:
    """Whether the caller submitted it, or it was lodged in the caller's name."""
    return receipt.submitter == principal.owner.actor or principal.is_firm(receipt.declarant)


def _declaration(id_: str, steps: Sequence[Step], request: Request) -> dict[str, Any]:
    fields = summary(id_, steps)
    spoken = language(request.headers.get("accept-language"))
    for name in ("errors", "warnings"):
        if name in fields:
            fields[name] = [_with_text(each, spoken) for each in fields[name]]
    return fields


def _with_text(error: Mapping[str, Any], spoken: str) -> dict[str, Any]:
    """An error of a declaration with its owner's text."""
    values = {"value": error.get("value", ""), "pointer": error["pointer"], **error.get("parameters", {})}
    return {**error, "text": in_words(error["code"], spoken, values)}


def _partner(principal: Principal) -> str:
    if principal.owner.kind is not OwnerKind.PARTNER:
        raise Refused("not-found")
    return principal.owner.code


def _quarantined(record: Quarantined, request: Request) -> dict[str, Any]:
    """What the partner sees of a refused record: where it stands, and why it was refused."""
    refused = Refused(record.problem, [fault_of(each) for each in record.faults], **record.values)
    details = problem(refused, language(request.headers.get("accept-language")))
    details.pop("trace_id", None)
    fields: dict[str, Any] = {"id": record.id, "refused_at": record.at.isoformat(), "problem": details}
    if record.submission:
        fields["submission"] = dict(record.submission)
    if record.trace_id:
        fields["trace_id"] = record.trace_id
    return fields
