"""The interceptor of every gRPC method: metrics, authorisation, a place, trace, deadline and error mapping.

A caller is authorised before it gets a place, so that strangers take no places from others.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from chassis.doors import AGAIN_SECONDS, Admission, TurnedAway
from chassis.failures import is_infrastructure
from chassis.rpc.context import Call, handling
from chassis.rpc.counting import code_name, count_unknown, counted
from chassis.rpc.identity import Caller, InvalidToken, TokenVerifier
from chassis.rpc.rights import Right
from chassis.rpc.status import OVERLOADED, RpcError, abort

log = structlog.get_logger(__name__)

LONGEST_SECONDS = 30.0
"""The deadline of a call that sets none, and the maximum for a unary one."""

AWAY_SECONDS = 5.0
"""The retry delay sent to a caller when the database, broker or a peer is unavailable."""

DOOR = "grpc"
_BEARER = "bearer "
_NOBODY = Right()

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Guard(grpc.aio.ServerInterceptor):
    """Wraps every method of a server."""

    def __init__(
        self, service: str, verifier: TokenVerifier, rights: Mapping[str, Right], admission: Admission
    ) -> None:
        self._service = service
        self._verifier = verifier
        self._rights = rights
        self._admission = admission

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], "Awaitable[Handler | None]"],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        handler = await continuation(handler_call_details)
        if handler is None:
            count_unknown(DOOR)
            return handler  # UNIMPLEMENTED, by gRPC itself
        method = str(handler_call_details.method)
        if handler.response_streaming:
            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            inner = handler.stream_stream if handler.request_streaming else handler.unary_stream
            wrapped = self._streaming(method, inner)
        else:
            make = (
                grpc.stream_unary_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_unary_rpc_method_handler
            )
            inner = handler.stream_unary if handler.request_streaming else handler.unary_unary
            wrapped = self._unary(method, inner)
        return make(wrapped, handler.request_deserializer, handler.response_serializer)

    def _unary(self, method: str, inner: Any) -> Any:
        async def answer(request: Any, context: Context) -> Any:
            left = min(context.time_remaining() or LONGEST_SECONDS, LONGEST_SECONDS)
            with self._around(method, context, left):
                caller = await self._admit(method, context)
                with handling(Call(self._service, caller, time.monotonic() + left)):
                    try:
                        async with asyncio.timeout(left), self._place(method):
                            return await inner(request, context)
                    except Exception as error:
                        await _answer_error(method, context, error)

        return answer

    def _streaming(self, method: str, inner: Any) -> Any:
        async def answer(request: Any, context: Context) -> AsyncIterator[Any]:
            # A stream lasts as long as its caller wants.
            left = context.time_remaining() or float("inf")
            with self._around(method, context, left):
                caller = await self._admit(method, context)
                with handling(Call(self._service, caller, time.monotonic() + left)):
                    try:
                        async with self._place(method):
                            answers = inner(request, context)
                            if not hasattr(answers, "__aiter__"):
                                await answers  # the method writes to the context itself
                                return
                            async for each in answers:
                                yield each
                    except Exception as error:
                        await _answer_error(method, context, error)

        return answer

    @contextlib.contextmanager
    def _around(self, method: str, context: Context, left: float) -> Iterator[None]:
        """Wraps a whole call, including refused ones."""
        call = Call(self._service, None, time.monotonic() + left)
        with counted(DOOR, method, context), _Span(method, context), handling(call):
            yield

    @contextlib.asynccontextmanager
    async def _place(self, method: str) -> AsyncIterator[None]:
        """A place at the door. Probes and reflection need none: they use no database, and must not be turned away."""
        right = self._rights.get(method, _NOBODY)
        if right.anyone:
            yield
            return
        place = await self._admission.enter(publishes=right.publishes)
        try:
            yield
        finally:
            place.leave()

    async def _admit(self, method: str, context: Context) -> Caller | None:
        """Authenticate and authorise the caller; ends the call if it may not call this method."""
        right = self._rights.get(method, _NOBODY)
        if right.anyone:
            return None
        header = _text(context).get("authorization", "")
        if not header.lower().startswith(_BEARER):
            await abort(context, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING", "the call carries no bearer token")
        try:
            caller = self._verifier.verify(header[len(_BEARER) :], self._service)
        except InvalidToken as error:
            log.warning("caller_refused", method=method, why=str(error))
            await abort(context, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID", str(error))
        if not right.allows(caller):
            log.warning("right_missing", method=method, actor=caller.actor)
            await abort(
                context, grpc.StatusCode.PERMISSION_DENIED, "RIGHT_MISSING", f"{caller.actor} may not call {method}"
            )
        return caller


async def _answer_error(method: str, context: Context, error: Exception) -> NoReturn:
    """Answer a method's error with a status; an unexpected one is logged, and the caller learns no details."""
    code = grpc.StatusCode
    match error:
        case grpc.aio.AbortError():
            raise error
        case RpcError():
            await abort(context, error.code, error.reason, str(error), error.violations)
        case TurnedAway():
            await abort(context, code.UNAVAILABLE, OVERLOADED, str(error), again_seconds=AGAIN_SECONDS)
        case TimeoutError():
            await abort(context, code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the deadline has passed")
        case _ if is_infrastructure(error):
            log.warning("call_waits_for_infrastructure", method=method, error=repr(error))
            words = "a server that this call needs is unavailable; try again"
            await abort(context, code.UNAVAILABLE, "DEPENDENCY_AWAY", words, again_seconds=AWAY_SECONDS)
        case _:
            log.error("call_broke", method=method, exc_info=error)
            await abort(context, code.INTERNAL, "INTERNAL", "the service failed to answer; see its log")


class _Span:
    """The server span of a call, in the caller's trace and baggage."""

    def __init__(self, method: str, context: Context) -> None:
        self._method = method.lstrip("/")
        self._context = context

    def __enter__(self) -> None:
        self._attached = otel_context.attach(propagate.extract(_text(self._context)))
        self._span = trace.get_tracer(__name__).start_span(
            self._method,
            kind=SpanKind.SERVER,
            attributes={"rpc.system.name": "grpc", "rpc.method": self._method},
        )
        self._in_span = otel_context.attach(trace.set_span_in_context(self._span))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: Any) -> None:
        number = self._context.code()
        name = code_name(number, error)
        self._span.set_attribute("rpc.response.status_code", name)
        if name in {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}:
            self._span.set_status(Status(StatusCode.ERROR, name))
        self._span.end()
        otel_context.detach(self._in_span)
        otel_context.detach(self._attached)


def _text(context: Context) -> dict[str, str]:
    """The call's metadata, without binary entries."""
    return {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}
