"""`trade.declarations.v1.DeclarationService`. It does not disclose which risk rules matched."""

from typing import Any

import grpc

from chassis.rpc import Right, abort, page_id, page_of, page_size, stamp_of
from declarations.aggregate import NUMBER, UCR, Declarations
from declarations.domain.declaration import Direction, Money
from declarations.domain.regions import CONTROL, HOLDS, MONEY, PRESENCE, guard, regions
from declarations.domain.state import AssessmentLine, State
from declarations.ports import KeptEvent, PartnerEvents
from trade.declarations.v1 import declarations_pb2 as pb
from trade.declarations.v1.declarations_pb2_grpc import DeclarationServiceServicer
from values.references import DeclarationNumber, Ucr

_SERVICE = "/trade.declarations.v1.DeclarationService/"
STAFF_RIGHT = "declarations.read"
RIGHTS = {
    f"{_SERVICE}{method}": Right(services=("gateway", "tracking"), staff=STAFF_RIGHT)
    for method in ("GetDeclaration", "ListDeclarations", "ListUnmatchedEvents")
}

MAX_UCRS = 100
PAGE, MAX_PAGE = 100, 500
_UNMATCHED = "unmatched events"

_DIRECTIONS = {Direction.IMPORT: pb.DIRECTION_IMPORT, Direction.EXPORT: pb.DIRECTION_EXPORT}

Context = grpc.aio.ServicerContext[Any, Any]


class DeclarationServicer(DeclarationServiceServicer):
    def __init__(self, declarations: Declarations, events: PartnerEvents) -> None:
        self._declarations = declarations
        self._events = events

    async def GetDeclaration(  # noqa: N802 - the name in proto
        self, request: pb.GetDeclarationRequest, context: Context
    ) -> pb.GetDeclarationResponse:
        state = await self._find(request)
        if state is None:
            await abort(context, grpc.StatusCode.NOT_FOUND, "DECLARATION_UNKNOWN", "no such declaration")
        return pb.GetDeclarationResponse(declaration=to_message(state))

    async def ListDeclarations(  # noqa: N802 - the name in proto
        self, request: pb.ListDeclarationsRequest, context: Context
    ) -> pb.ListDeclarationsResponse:
        if len(request.ucrs) > MAX_UCRS:
            await abort(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "TOO_MANY_UCRS",
                f"at most {MAX_UCRS} UCRs per call",
                violations=[("ucrs", f"has {len(request.ucrs)}")],
            )
        found = await self._declarations.find(
            {UCR: {"$in": sorted({Ucr(each) for each in request.ucrs})}}, sort=[("_id", 1)]
        )
        return pb.ListDeclarationsResponse(declarations=[to_message(state) for state in found])

    async def ListUnmatchedEvents(  # noqa: N802 - the name in proto
        self,
        request: pb.ListUnmatchedEventsRequest,
        context: Context,  # noqa: ARG002 - gRPC passes it
    ) -> pb.ListUnmatchedEventsResponse:
        after_id = page_id(request.page_token, _UNMATCHED)
        size = page_size(request.page_size, PAGE, MAX_PAGE)
        found = await self._events.unmatched(after_id=after_id, limit=size + 1)
        page, token = page_of(found, size, _UNMATCHED, lambda event: event.id)
        return pb.ListUnmatchedEventsResponse(events=[_unmatched(each) for each in page], next_page_token=token)

    async def _find(self, request: pb.GetDeclarationRequest) -> State | None:
        if request.WhichOneof("key") == "declaration_number":
            found = await self._declarations.find({NUMBER: DeclarationNumber(request.declaration_number)}, limit=1)
            return found[0] if found else None
        return await self._declarations.get(request.declaration_id)


def to_message(state: State) -> pb.Declaration:
    """A declaration with its current regions."""
    seen = regions(state)
    holds, money = seen[HOLDS], seen[MONEY]
    assessment = state.assessment
    return pb.Declaration(
        id=state.id,
        lrn=state.declaration.lrn,
        ucr=state.declaration.ucr,
        number=state.number or "",
        version=state.version,
        direction=_DIRECTIONS[state.declaration.direction],
        status=pb.DeclarationStatus.Value(f"DECLARATION_STATUS_{state.status.name}"),
        received_at=stamp_of(state.received_at),
        accepted_at=stamp_of(state.accepted_at),
        released_at=stamp_of(state.released_at),
        errors=[
            pb.FieldError(code=each.code, pointer=each.pointer, value=each.value or "", parameters=each.parameters)
            for each in state.errors
        ],
        control=seen[CONTROL].status.value,
        holds=[pb.Hold(agency=agency, code=code) for agency, code in sorted(holds)],
        money=money.status.value,
        due=_money(assessment.total) if assessment else None,
        paid=_money(money.paid),
        pay_by=stamp_of(assessment.pay_by) if assessment else None,
        overdue=money.overdue,
        presence=seen[PRESENCE].status.value,
        guard=pb.Guard(**guard(seen)),
        assessment=[_assessment_line(line) for line in (assessment.lines if assessment else ())],
        cases=[case.value for case in state.cases],
        receipt_id=state.receipt_id,
        payment_reference=(assessment.payment_reference if assessment else None) or "",
    )


def _assessment_line(line: AssessmentLine) -> pb.AssessmentLine:
    return pb.AssessmentLine(
        item=line.item,
        tax=line.tax,
        base=format(line.base, "f"),
        rate=format(line.rate, "f"),
        formula=line.formula,
        amount=format(line.amount, "f"),
    )


def _unmatched(event: KeptEvent) -> pb.UnmatchedEvent:
    return pb.UnmatchedEvent(
        event_id=event.id,
        type=event.type,
        publisher=event.publisher,
        occurred_at=stamp_of(event.occurred_at),
        received_at=stamp_of(event.received_at),
        ucr=event.references.ucr or "",
        declaration_number=event.references.declaration_number or "",
        transport_document=event.references.transport_document or "",
        container=event.references.container or "",
        payment_reference=event.references.payment_reference or "",
        attempts=event.attempts,
    )


def _money(money: Money | None) -> pb.Money | None:
    return pb.Money(amount=format(money.amount, "f"), currency=money.currency) if money else None
