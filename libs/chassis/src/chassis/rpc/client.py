"""Calls to a peer, each with a deadline, a token and the trace; retried only where that is safe.

A call made while another one is handled gets at most that one's remaining deadline. Retries are gRPC's own, set by
service config: only for UNAVAILABLE, only of methods named as idempotent, with jitter, all within one deadline. A
call that a door turned away has not begun, so any method may be retried; `patience_seconds` says for how long.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import grpc
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from chassis.backoff import jittered
from chassis.rpc.certificates import Certificates
from chassis.rpc.context import deadline_left
from chassis.rpc.identity import TokenSigner
from chassis.rpc.renewed_channel import RenewedChannel
from chassis.rpc.status import turned_away_for

DEADLINE_SECONDS = 5.0
"""The deadline of a call that sets none."""
ATTEMPTS = 4
MAX_MESSAGE_BYTES = 16 * 1024 * 1024

Details = grpc.aio.ClientCallDetails
D = TypeVar("D", bound=Details)


def connect(
    address: str,
    signer: TokenSigner,
    audience: str,
    *,
    idempotent: Iterable[str] = (),
    deadline_seconds: float = DEADLINE_SECONDS,
    subject: str = "",
    rights: Iterable[str] = (),
    patience_seconds: float = 0.0,
    certificates: Certificates | None = None,
) -> grpc.aio.Channel:
    """A channel to the service `audience`. Call it within the running event loop: the channel is bound to it.

    `idempotent` names methods (`/trade.registry.v1.RegistryService/CheckParties`) or whole services
    (`trade.registry.v1.RegistryService`) that may be retried. `subject` and `rights` are for staff
    tokens: the person, and what that person may do. `patience_seconds`: how long a call is retried that the door turned
    away, each time with its full deadline; 0 for workers, which have their own pauses. `certificates`: for mutual TLS;
    without them the connection is plain.
    """
    given = frozenset(rights)
    caller = _Caller(lambda: signer.token(audience, subject=subject, rights=given), deadline_seconds)
    target = address if "://" in address else f"dns:///{address}"
    options = _options(idempotent)

    def interceptors() -> list[grpc.aio.ClientInterceptor]:
        return [_Unary(caller, patience_seconds), _Streaming(caller)]

    if certificates is None:
        return grpc.aio.insecure_channel(target, interceptors=interceptors(), options=options)
    return RenewedChannel(
        lambda shown: grpc.aio.secure_channel(target, shown, interceptors=interceptors(), options=options),
        certificates,
    )


def _options(idempotent: Iterable[str]) -> list[tuple[str, Any]]:
    return [
        ("grpc.service_config", service_config(idempotent)),
        ("grpc.enable_retries", 1),
        ("grpc.enable_http_proxy", 0),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 5_000),
        ("grpc.dns_min_time_between_resolutions_ms", 1_000),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ]


def service_config(idempotent: Iterable[str]) -> str:
    """gRPC's service config: round robin over all addresses, and the retry policy per method."""
    names = [_name(each) for each in idempotent]
    policy = {
        "maxAttempts": ATTEMPTS,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps(
        {
            "loadBalancingConfig": [{"round_robin": {}}],
            "methodConfig": [{"name": names, "retryPolicy": policy}] if names else [],
        }
    )


def _name(method: str) -> dict[str, str]:
    service, _, name = method.lstrip("/").partition("/")
    return {"service": service, "method": name} if name else {"service": service}


class _Caller:
    """Adds deadline, token and trace to a call."""

    def __init__(self, token: Callable[[], str], deadline_seconds: float) -> None:
        self._token = token
        self._deadline_seconds = deadline_seconds

    def details(self, given: Details) -> Details:
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        metadata = grpc.aio.Metadata(*(given.metadata or ()))
        metadata.add("authorization", f"Bearer {self._token()}")
        for name, value in carrier.items():
            metadata.add(name, value)
        outer = deadline_left()
        timeout = self._deadline_seconds if given.timeout is None else given.timeout
        return Details(
            method=given.method,
            timeout=timeout if outer is None else min(timeout, outer),
            metadata=metadata,
            credentials=given.credentials,
            wait_for_ready=given.wait_for_ready,
        )


def method_name(method: str | bytes) -> str:
    """A method's full name as text, without the leading slash."""
    return (method.decode() if isinstance(method, bytes) else method).lstrip("/")


class _Unary(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, caller: _Caller, patience_seconds: float) -> None:
        self._caller = caller
        self._patience_seconds = patience_seconds

    async def intercept_unary_unary(
        self,
        continuation: Callable[[Details, Any], Awaitable[Any]],
        client_call_details: Details,
        request: Any,
    ) -> Any:
        name = method_name(client_call_details.method)
        with trace.get_tracer(__name__).start_as_current_span(
            name,
            kind=SpanKind.CLIENT,
            attributes={"rpc.system.name": "grpc", "rpc.method": name},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            call, code = await self._until_let_in(continuation, client_call_details, request)
            span.set_attribute("rpc.response.status_code", code.name)
            if code is not grpc.StatusCode.OK:
                span.set_status(Status(StatusCode.ERROR, code.name))
            return call

    async def _until_let_in(
        self, continuation: Callable[[Details, Any], Awaitable[Any]], details: Details, request: Any
    ) -> tuple[Any, grpc.StatusCode]:
        """The finished call and its code; retried while the door turns it away and patience lasts."""
        until = time.monotonic() + self._patience_seconds
        while True:
            call = await continuation(self._caller.details(details), request)
            try:
                code = await call.code()
            except asyncio.CancelledError:
                call.cancel()  # otherwise the peer works on until the deadline, and keeps a place at its door
                raise
            if code is not grpc.StatusCode.UNAVAILABLE or time.monotonic() >= until:
                return call, code
            pause = turned_away_for(await call.trailing_metadata())
            if pause is None:
                return call, code
            await asyncio.sleep(jittered(pause, 0.25))


class _Streaming(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, caller: _Caller) -> None:
        self._caller = caller

    async def intercept_unary_stream(
        self,
        continuation: Callable[[Details, Any], Awaitable[Any]],
        client_call_details: Details,
        request: Any,
    ) -> Any:
        return await continuation(self._caller.details(client_call_details), request)
