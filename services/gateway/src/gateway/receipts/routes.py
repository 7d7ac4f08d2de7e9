"""Routes of a submitter's own receipts and original bytes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from gateway.domain.access import Principal
from gateway.domain.faults import Refused
from gateway.domain.receipt import Receipt
from gateway.http.admission import Admission
from gateway.http.wording import language_of
from gateway.receipts.answers import shown
from gateway.receipts.keeping import Receipts

OutcomeOf: TypeAlias = Callable[[Receipt, str], Awaitable[Mapping[str, Any]]]
"""Returns the outcome of a receipt's submission as fields, in a language."""


def router(admission: Admission, receipts: Receipts, outcome_of: OutcomeOf) -> APIRouter:
    """The routes of receipts."""
    routes = APIRouter()

    @routes.get("/v1/receipts/{id_}", summary="A receipt, and what became of its submission")
    async def get_receipt(request: Request, id_: str) -> Response:
        receipt = await _own(receipts, await admission.enter(request), id_)
        lang = language_of(request)
        return JSONResponse({**shown(receipt, lang), **await outcome_of(receipt, lang)})

    @routes.get("/v1/receipts/{id_}/original", summary="The submission byte by byte")
    async def get_original(request: Request, id_: str) -> Response:
        receipt = await _own(receipts, await admission.enter(request), id_)
        original = await receipts.original(receipt)
        if original is None:
            raise Refused("not-found")
        # Set as a header, not as `media_type`: the framework would add a charset to text types.
        headers = {"Content-Type": receipt.media_type, "X-Content-Type-Options": "nosniff"}
        return Response(original.body, headers=headers | {"Content-Disposition": "attachment"})

    return routes


async def _own(receipts: Receipts, principal: Principal, id_: str) -> Receipt:
    """A receipt of the caller; that of another submitter is not found, like an unknown one."""
    receipt = await receipts.get(id_)
    if receipt is None or not principal.may_see(receipt):
        raise Refused("not-found")
    return receipt
