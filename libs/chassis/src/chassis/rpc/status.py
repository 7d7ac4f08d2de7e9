"""Errors on the wire: a gRPC code, a stable reason, and which fields broke which rule (google.rpc.Status)."""

from collections.abc import Sequence
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from chassis.rpc.context import current_call

DETAILS_KEY = "grpc-status-details-bin"

Violations = Sequence[tuple[str, str]]
"""(field, rule that it broke)"""


class RpcError(Exception):
    """A refusal that code without a call's context raises; the server answers with it."""

    def __init__(self, code: grpc.StatusCode, reason: str, message: str, violations: Violations = ()) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.violations = tuple(violations)


async def abort(
    context: grpc.aio.ServicerContext[Any, Any],
    code: grpc.StatusCode,
    reason: str,
    message: str = "",
    violations: Violations = (),
) -> NoReturn:
    """End the call with an error; never returns.

    `reason` is stable and in capitals, such as `PARTY_SUSPENDED`; `violations` name the request's fields.
    """
    call = current_call()
    status = status_pb2.Status(code=code.value[0], message=message or reason)
    info = error_details_pb2.ErrorInfo(reason=reason, domain=call.service if call else "")
    status.details.append(_packed(info))
    if violations:
        broken = [error_details_pb2.BadRequest.FieldViolation(field=f, description=rule) for f, rule in violations]
        status.details.append(_packed(error_details_pb2.BadRequest(field_violations=broken)))
    await context.abort(code, status.message, ((DETAILS_KEY, status.SerializeToString()),))
    raise AssertionError("unreachable: abort raises")


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The stable reason of a peer's error, empty where it gave none."""
    info = error_details_pb2.ErrorInfo()
    return next((info.reason for detail in _details(error) if detail.Unpack(info)), "")


def violations_of(error: grpc.aio.AioRpcError) -> list[tuple[str, str]]:
    """The fields of the request that a peer refused, with the rules they broke."""
    broken = error_details_pb2.BadRequest()
    for detail in _details(error):
        if detail.Unpack(broken):
            return [(each.field, each.description) for each in broken.field_violations]
    return []


def _packed(message: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _details(error: grpc.aio.AioRpcError) -> Sequence[any_pb2.Any]:
    for name, value in error.trailing_metadata() or ():
        if name == DETAILS_KEY and isinstance(value, bytes):
            details: Sequence[any_pb2.Any] = status_pb2.Status.FromString(value).details
            return details
    return ()
