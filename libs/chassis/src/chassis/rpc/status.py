"""Errors on the wire (google.rpc.Status): a gRPC code, a stable reason, and which fields broke which rule.

An error travels in the call's trailing metadata, of which a client accepts about 8 kB; a longer one breaks the call and
its code is lost. So text that a refusal quotes from a request is truncated to fit.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from chassis.rpc.context import current_call
from values.faults import shortened

DETAILS_KEY = "grpc-status-details-bin"

OVERLOADED = "OVERLOADED"
"""The reason of a call that was turned away before it began; any method may then be retried."""

MESSAGE_BYTES = 600
"""Limit of the message: it is sent twice, once percent-encoded with up to three characters per byte."""
VIOLATIONS_BYTES = 2_400
"""Limit of all violations together."""
_LEFT_OUT = 60
"""Bytes reserved for the line that says how many violations are left out."""

Metadata: TypeAlias = "Iterable[tuple[str, str | bytes]] | None"
Violations = Sequence[tuple[str, str]]
"""(field, rule that it broke)"""


class RpcError(Exception):
    """A refusal raised by code that has no call context; the server sends it as the answer."""

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
    *,
    again_seconds: float | None = None,
) -> NoReturn:
    """End the call with an error. Never returns.

    `reason` is stable and in capitals, such as `PARTY_SUSPENDED`; `violations` name the request's fields. Message and
    violations are truncated to fit. `again_seconds` is the retry delay (google.rpc.RetryInfo).
    """
    call = current_call()
    status = status_pb2.Status(code=code.value[0], message=_cut(message or reason, MESSAGE_BYTES))
    info = error_details_pb2.ErrorInfo(reason=reason, domain=call.service if call else "")
    status.details.append(_packed(info))
    if violations:
        fitting = _that_fit(violations)
        broken = [error_details_pb2.BadRequest.FieldViolation(field=f, description=rule) for f, rule in fitting]
        status.details.append(_packed(error_details_pb2.BadRequest(field_violations=broken)))
    if again_seconds is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(again_seconds * 1000))
        status.details.append(_packed(retry))
    await context.abort(code, status.message, ((DETAILS_KEY, status.SerializeToString()),))
    raise AssertionError("unreachable: abort raises")


def _that_fit(violations: Violations) -> Iterator[tuple[str, str]]:
    """The first violations, as many as fit, each field and rule cut to a line; then the number left out."""
    room = VIOLATIONS_BYTES - _LEFT_OUT
    for place, (named, broken) in enumerate(violations):
        field, rule = shortened(named), _cut(broken, VIOLATIONS_BYTES // 3)
        room -= len(field.encode()) + len(rule.encode())
        if room < 0:
            yield "", f"{len(violations) - place} more are not shown"
            return
        yield field, rule


def _cut(text: str, most: int) -> str:
    """A text cut to at most `most` bytes, at a character boundary."""
    raw = text.encode()
    return text if len(raw) <= most else f"{raw[: most - 3].decode(errors='ignore')}…"


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The stable reason of a peer's error; empty if it gave none."""
    info = error_details_pb2.ErrorInfo()
    return next((info.reason for detail in _details(error.trailing_metadata()) if detail.Unpack(info)), "")


def turned_away_for(metadata: Metadata) -> float | None:
    """The retry delay in seconds from the trailing metadata of a turned-away call; None if it was not turned away."""
    details, retry, info = _details(metadata), error_details_pb2.RetryInfo(), error_details_pb2.ErrorInfo()
    if not any(detail.Unpack(info) and info.reason == OVERLOADED for detail in details):
        return None
    found = next((retry.retry_delay for detail in details if detail.Unpack(retry)), None)
    return None if found is None else float(found.ToMilliseconds()) / 1000


def violations_of(error: grpc.aio.AioRpcError) -> list[tuple[str, str]]:
    """The request fields that a peer refused, with the rules they broke."""
    broken = error_details_pb2.BadRequest()
    for detail in _details(error.trailing_metadata()):
        if detail.Unpack(broken):
            return [(each.field, each.description) for each in broken.field_violations]
    return []


def _packed(message: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _details(metadata: Metadata) -> Sequence[any_pb2.Any]:
    for name, value in metadata or ():
        if name == DETAILS_KEY and isinstance(value, bytes):
            details: Sequence[any_pb2.Any] = status_pb2.Status.FromString(value).details
            return details
    return ()
