"""Registry over gRPC: protobuf to handler and back; refusals become a status with the faulty fields.

Error texts are in the language of the call's metadata (`accept-language`: zh, ru or en). The stable
parts are the status code, the reason and, per violation, the field and the rule code that precedes
the text: `registry.identifier.check_digit: …`.
"""

from collections.abc import Awaitable, Mapping
from typing import Any, NoReturn, TypeVar

import grpc

from chassis.rpc import RpcError, current_caller
from contracts.texts import FALLBACK, LANGUAGES, text
from registry import handlers, queries
from registry.claims import NumberTaken
from registry.domain.enterprise import AlreadyRegistered, Enterprise, NotRegistered, Refused, Status
from registry.domain.identifiers import Number
from registry.handlers import CommandConflict, Order
from registry.ports import Known, Ports
from registry.queries import Standing
from registry.requests import Description, InvalidRequest
from trade.registry.v1 import registry_pb2 as pb
from trade.registry.v1.registry_pb2_grpc import RegistryServiceServicer
from values.faults import shortened
from values.references import CommandId

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")

MAX_BATCH = 1000
"""Maximum number of parties in one call."""

_ROLE_PREFIX = "ENTERPRISE_ROLE_"
_STATUSES = {Status.ACTIVE: pb.ENTERPRISE_STATUS_ACTIVE, Status.SUSPENDED: pb.ENTERPRISE_STATUS_SUSPENDED}
_STANDINGS: Mapping[Standing, "pb.PartyStanding.ValueType"] = {
    Standing.MAY_ACT: pb.PARTY_STANDING_MAY_ACT,
    Standing.UNKNOWN: pb.PARTY_STANDING_UNKNOWN,
    Standing.SUSPENDED: pb.PARTY_STANDING_SUSPENDED,
    Standing.ROLE_MISSING: pb.PARTY_STANDING_ROLE_MISSING,
}


class RegistryServer(RegistryServiceServicer):
    """`trade.registry.v1.RegistryService`."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def CheckParties(self, request: pb.CheckPartiesRequest, context: Context) -> pb.CheckPartiesResponse:  # noqa: N802
        _check_batch(len(request.parties), "parties", context)
        found = await queries.find_enterprises(self._ports, [_number(each.identifier) for each in request.parties])
        answers = [
            pb.PartyAnswer(
                standing=_STANDINGS[queries.standing(enterprise, _asked_role(party.role))],
                enterprise_id=enterprise.id if enterprise else "",
            )
            for party, enterprise in zip(request.parties, found, strict=True)
        ]
        return pb.CheckPartiesResponse(answers=answers)

    async def ListContacts(self, request: pb.ListContactsRequest, context: Context) -> pb.ListContactsResponse:  # noqa: N802
        _check_batch(len(request.identifiers), "identifiers", context)
        found = await queries.find_contacts(self._ports, [_number(each) for each in request.identifiers])
        answers = [
            pb.ContactAnswer(enterprise_id=known.enterprise.id, contact=_contact(known))
            if known
            else pb.ContactAnswer()
            for known in found
        ]
        return pb.ListContactsResponse(answers=answers)

    async def GetEnterprise(self, request: pb.GetEnterpriseRequest, context: Context) -> pb.GetEnterpriseResponse:  # noqa: N802
        number = _number(request.identifier)
        return pb.GetEnterpriseResponse(
            enterprise=_enterprise(await _answer(context, queries.get_enterprise(self._ports, number)))
        )

    async def RegisterEnterprise(  # noqa: N802
        self, request: pb.RegisterEnterpriseRequest, context: Context
    ) -> pb.RegisterEnterpriseResponse:
        command = handlers.register(self._ports, _order(request), request.country, _description(request))
        return pb.RegisterEnterpriseResponse(enterprise=_enterprise(await _answer(context, command)))

    async def ChangeEnterprise(  # noqa: N802
        self, request: pb.ChangeEnterpriseRequest, context: Context
    ) -> pb.ChangeEnterpriseResponse:
        command = handlers.change(self._ports, _order(request), request.enterprise_id, _description(request))
        return pb.ChangeEnterpriseResponse(enterprise=_enterprise(await _answer(context, command)))

    async def SuspendEnterprise(  # noqa: N802
        self, request: pb.SuspendEnterpriseRequest, context: Context
    ) -> pb.SuspendEnterpriseResponse:
        command = handlers.suspend(self._ports, _order(request), request.enterprise_id, request.reason)
        return pb.SuspendEnterpriseResponse(enterprise=_enterprise(await _answer(context, command)))

    async def ReinstateEnterprise(  # noqa: N802
        self, request: pb.ReinstateEnterpriseRequest, context: Context
    ) -> pb.ReinstateEnterpriseResponse:
        command = handlers.reinstate(self._ports, _order(request), request.enterprise_id, request.reason)
        return pb.ReinstateEnterpriseResponse(enterprise=_enterprise(await _answer(context, command)))


def _order(request: Any) -> Order:
    return Order(CommandId(request.command_id), current_caller().actor)


async def _answer(context: Context, work: Awaitable[T]) -> T:
    """A handler's result; its refusals become gRPC statuses."""
    language = _language(context)
    code = grpc.StatusCode
    try:
        return await work
    except InvalidRequest as error:
        _refuse_faults(error, language)
    except NumberTaken as error:
        words = text("registry.number_taken", language, number=error.number, holder=error.holder)
        raise RpcError(
            code.ALREADY_EXISTS, "NUMBER_TAKEN", words, [("identifiers", f"registry.number_taken: {words}")]
        ) from None
    except CommandConflict as error:
        words = text("registry.command_conflict", language, command_id=shortened(error.command_id))
        raise RpcError(
            code.ALREADY_EXISTS, "COMMAND_CONFLICT", words, [("command_id", f"registry.command_conflict: {words}")]
        ) from None
    except Refused as error:
        status = {NotRegistered: code.NOT_FOUND, AlreadyRegistered: code.ALREADY_EXISTS}
        reason = error.code.partition(".")[2].upper()
        words = text(error.code, language, id=shortened(str(error)))
        raise RpcError(status.get(type(error), code.FAILED_PRECONDITION), reason, words) from None


def _refuse_faults(error: InvalidRequest, language: str) -> NoReturn:
    words = [
        (fault.field, fault.rule, text(fault.rule, language, value=shortened(fault.value), expected=fault.expected))
        for fault in error.faults
    ]
    message = "; ".join(f"{field}: {said}" for field, _, said in words)
    violations = [(field, f"{rule}: {said}") for field, rule, said in words]
    raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", message, violations) from None


def _check_batch(size: int, field: str, context: Context) -> None:
    if size > MAX_BATCH:
        rule = "registry.field.too_many"
        words = text(rule, _language(context), value=size, expected=MAX_BATCH)
        raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, "BATCH_TOO_LARGE", words, [(field, f"{rule}: {words}")])


def _language(context: Context) -> str:
    asked = dict(context.invocation_metadata() or ()).get("accept-language", FALLBACK)
    return asked if isinstance(asked, str) and asked in LANGUAGES else FALLBACK


def _number(identifier: pb.Identifier) -> Number:
    return Number(identifier.scheme, identifier.value)


def _role_name(role: int) -> str:
    """A role's value in the domain; its number if this release does not know it."""
    try:
        return pb.EnterpriseRole.Name(role).removeprefix(_ROLE_PREFIX).lower()  # type: ignore[arg-type]
    except ValueError:
        return str(role)


def _asked_role(role: int) -> str | None:
    """The role asked for. A role that only a newer release knows matches no enterprise."""
    return _role_name(role) if role else None


def _description(request: pb.RegisterEnterpriseRequest | pb.ChangeEnterpriseRequest) -> Description:
    return Description(
        numbers=tuple(_number(each) for each in request.identifiers),
        roles=tuple(_role_name(role) for role in request.roles),
        contact={"name": request.name, "email": request.contact.email, "language": request.contact.language},
    )


def _contact(known: Known) -> pb.Contact:
    return pb.Contact(email=known.contact.value("email"), language=known.contact.value("language"))


def _enterprise(known: Known) -> pb.Enterprise:
    state: Enterprise = known.enterprise
    parted = (number.partition(":") for number in state.numbers)
    return pb.Enterprise(
        id=state.id,
        country=state.country,
        identifiers=[pb.Identifier(scheme=scheme, value=value) for scheme, _, value in parted],
        roles=[pb.EnterpriseRole.Value(f"{_ROLE_PREFIX}{role.name}") for role in state.roles],
        status=_STATUSES[state.status],
        name=known.contact.value("name"),
        contact=_contact(known),
        warnings=state.warnings,
    )
