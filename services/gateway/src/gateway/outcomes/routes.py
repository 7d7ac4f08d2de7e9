"""The route of a declaration, as its submitters may see it."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from gateway.domain.faults import Refused
from gateway.domain.outcome import of_receipts
from gateway.http.admission import Admission
from gateway.http.wording import language_of
from gateway.outcomes.declarations import Outcomes, shown
from gateway.receipts import Receipts


def router(admission: Admission, receipts: Receipts, outcomes: Outcomes) -> APIRouter:
    """The route of declarations."""
    routes = APIRouter()

    @routes.get("/v1/declarations/{id_}", summary="A declaration by its id or by one of its receipts")
    async def get_declaration(request: Request, id_: str) -> Response:
        principal = await admission.enter(request)
        receipt = await receipts.get(id_)
        declaration_id = receipt.declaration_id if receipt is not None else id_
        found = await receipts.of_declaration(declaration_id) if declaration_id else []
        mine = [each for each in found if principal.may_see(each)]
        if not mine:
            raise Refused("not-found")
        steps = await outcomes.steps(declaration_id)
        if not principal.is_firm(mine[0].declarant):
            # A firm that named itself as agent sees only the outcomes of its own submissions.
            steps = of_receipts(steps, [each.id for each in mine])
        fields = shown(declaration_id, steps, language_of(request))
        named = {"lrn": mine[0].lrn, "ucr": mine[-1].ucr, "receipts": [each.id for each in mine]}
        return JSONResponse(fields | named)

    return routes
