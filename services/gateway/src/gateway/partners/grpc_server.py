"""`trade.gateway.v1.PartnerService`: staff register partners and change their grants."""

import secrets
from collections.abc import Iterator
from typing import Any

import grpc
import structlog

from chassis.aggregates import Applied, Failed, Input
from chassis.rpc import Right, abort, current_caller, page_id, page_of, page_size, stamp_of
from contracts.codes import is_place
from gateway.domain.grants import Grants
from gateway.domain.partner import Command, Grant, NotChanged, NotRegistered, Partner, Register, Revoke
from gateway.partners.aggregate import RegisteredPartners
from gateway.partners.known import KnownPartners
from trade.gateway.v1 import partners_pb2 as pb
from trade.gateway.v1.partners_pb2_grpc import PartnerServiceServicer
from values.faults import shortened
from values.identifiers import Identifier
from values.partner_roles import ROLES
from values.partners import FORM, PartnerCode
from values.places import GrantedPlace, Locode
from values.text import hidden_fault, line_fault

READ = "partners.read"
WRITE = "partners.write"
_SERVICE = "/trade.gateway.v1.PartnerService"
RIGHTS = {
    f"{_SERVICE}/AddPartner": Right(staff=WRITE, publishes=True),
    f"{_SERVICE}/GrantPartner": Right(staff=WRITE, publishes=True),
    f"{_SERVICE}/RevokePartner": Right(staff=WRITE, publishes=True),
    f"{_SERVICE}/GetPartner": Right(staff=READ),
    f"{_SERVICE}/ListPartners": Right(staff=READ),
}

MAX_TEXT = 120
"""Maximum characters of a facility, a code or a number."""
MAX_REASON = 500

Context = grpc.aio.ServicerContext[Any, Any]
Faults = list[tuple[str, str]]

log = structlog.get_logger(__name__)


class PartnerRpc(PartnerServiceServicer):
    """Partners over gRPC."""

    def __init__(self, registered: RegisteredPartners, known: KnownPartners) -> None:
        self._registered = registered
        self._known = known

    async def AddPartner(self, request: pb.AddPartnerRequest, context: Context) -> pb.AddPartnerResponse:  # noqa: N802 - the proto's name
        faults = [] if request.role in ROLES else [("role", f"must be one of {', '.join(ROLES)}")]
        code = await _checked(context, request.code, faults)
        partner = await self._apply(context, code, Register(code, request.role, current_caller().actor))
        return pb.AddPartnerResponse(partner=_partner(partner))

    async def GrantPartner(self, request: pb.GrantPartnerRequest, context: Context) -> pb.GrantPartnerResponse:  # noqa: N802 - the proto's name
        code = await _checked(context, request.code, [*_grant_faults(request.grants), *_reason_faults(request.reason)])
        command = Grant(code, _grants(request.grants), request.reason.strip(), current_caller().actor)
        return pb.GrantPartnerResponse(partner=_partner(await self._apply(context, code, command)))

    async def RevokePartner(self, request: pb.RevokePartnerRequest, context: Context) -> pb.RevokePartnerResponse:  # noqa: N802 - the proto's name
        faults = list(_reason_faults(request.reason))
        if not request.reason.strip():
            faults.append(("reason", "is required"))
        code = await _checked(context, request.code, faults)
        command = Revoke(code, _grants(request.grants), request.reason.strip(), current_caller().actor)
        return pb.RevokePartnerResponse(partner=_partner(await self._apply(context, code, command)))

    async def GetPartner(self, request: pb.GetPartnerRequest, context: Context) -> pb.GetPartnerResponse:  # noqa: N802 - the proto's name
        code = await _checked(context, request.code, [])
        partner = await self._registered.get(code)
        if partner is None:
            await abort(context, grpc.StatusCode.NOT_FOUND, NotRegistered.reason, f"no partner {code!r} is registered")
        return pb.GetPartnerResponse(partner=_partner(partner))

    async def ListPartners(self, request: pb.ListPartnersRequest, context: Context) -> pb.ListPartnersResponse:  # noqa: N802, ARG002 - the proto's name
        size = page_size(request.page_size)
        after = page_id(request.page_token, "partners")
        found = await self._registered.find({"_id": {"$gt": after}}, sort=[("_id", 1)], limit=size + 1)
        page, following = page_of(found, size, "partners", lambda partner: partner.code)
        return pb.ListPartnersResponse(partners=[_partner(each) for each in page], next_page_token=following)

    async def _apply(self, context: Context, code: str, command: Command) -> Partner:
        """Change a partner; aborts the call if the change is refused."""
        outcome = await self._registered.apply_one(Input(code, secrets.token_hex(16), command, command.by))
        self._known.forget(code)
        match outcome:
            case Applied(state=Partner() as partner):
                log.info("partner_changed", partner=code, command=type(command).__name__, by=command.by)
                return partner
            case Failed(error=NotChanged() as refused):
                status = grpc.StatusCode.FAILED_PRECONDITION
                if isinstance(refused, NotRegistered):
                    status = grpc.StatusCode.NOT_FOUND
                await abort(context, status, refused.reason, str(refused))
            case Failed(error=error):
                raise error
        raise AssertionError(f"a partner has a state after {outcome!r}")


async def _checked(context: Context, written: str, faults: Faults) -> str:
    """A partner's code in normal form; aborts the call if it is malformed, or for faults of other fields."""
    code = PartnerCode(written)
    if code.fault() is not None:
        faults = [("code", f"must have the form {FORM}, found {shortened(code)!r}"), *faults]
    if faults:
        words = "; ".join(f"{field} {rule}" for field, rule in faults)
        await abort(context, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", words, faults)
    return str(code)


def _reason_faults(reason: str) -> Faults:
    if len(reason) > MAX_REASON or line_fault(reason):
        return [("reason", f"must have at most {MAX_REASON} printable characters")]
    return []


def _grant_faults(given: pb.PartnerGrants) -> Iterator[tuple[str, str]]:
    """Invalid grants, each with its field, value and rule."""
    for index, place in enumerate(given.places):
        if not is_place(Locode(place.unlocode)):
            yield (
                f"grants.places[{index}].unlocode",
                f"must be a UN/LOCODE such as CNTAO, found {shortened(place.unlocode)!r}",
            )
        if len(place.facility) > MAX_TEXT or line_fault(place.facility) or hidden_fault(place.facility):
            yield f"grants.places[{index}].facility", f"must have at most {MAX_TEXT} printable characters"
    for name in ("customs_offices", "agencies"):
        for index, code in enumerate(getattr(given, name)):
            if not code.strip() or len(code) > MAX_TEXT or not code.isascii() or line_fault(code):
                yield f"grants.{name}[{index}]", f"must be a code of ASCII characters, found {shortened(code)!r}"
    for index, number in enumerate(given.carriers):
        fault = Identifier(number.scheme, number.value).fault()
        if fault is not None or len(number.value) > MAX_TEXT:
            field = fault[0] if fault is not None else "value"
            yield f"grants.carriers[{index}].{field}", "must be a scheme and a number such as KZ-BIN:190540000014"


def _grants(given: pb.PartnerGrants) -> Grants:
    return Grants(
        places=tuple(GrantedPlace(Locode(each.unlocode), each.facility) for each in given.places),
        customs_offices=tuple(given.customs_offices),
        agencies=tuple(given.agencies),
        carriers=tuple(Identifier(each.scheme, each.value) for each in given.carriers),
    )


def _granted(grants: Grants) -> pb.PartnerGrants:
    return pb.PartnerGrants(
        places=[pb.GrantedPlace(unlocode=each.unlocode, facility=each.facility or "") for each in grants.places],
        customs_offices=grants.customs_offices,
        agencies=grants.agencies,
        carriers=[pb.CarrierNumber(scheme=each.scheme, value=each.value) for each in grants.carriers],
    )


def _partner(partner: Partner) -> pb.RegisteredPartner:
    changes = [
        pb.PartnerChange(
            fact=each.fact, at=stamp_of(each.at), by=each.by, grants=_granted(each.grants), reason=each.reason
        )
        for each in partner.changes
    ]
    return pb.RegisteredPartner(code=partner.code, role=partner.role, grants=_granted(partner.grants), changes=changes)
