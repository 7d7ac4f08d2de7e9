"""A span around every request, the child of the caller's where it sends one.

Only the trace is taken from a caller, never its baggage: that is what our own log lines and spans
are found by.
"""

from contextvars import ContextVar
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis import telemetry
from chassis.doors import TRACE_ID, status_of
from chassis.telemetry import from_outside
from gateway.formats.cloudevents import trace_of

_PROPAGATOR = TraceContextTextMapPropagator()

_request: ContextVar[trace.Span] = ContextVar("request_span", default=trace.INVALID_SPAN)


def name_shipment(ucr: str) -> None:
    """Let the spans of the request in hand be found by the shipment, which is known only once it was read."""
    for span in (_request.get(), trace.get_current_span()):
        span.set_attribute(telemetry.UCR, ucr)


class Traced:
    """An ASGI application inside a span for each request."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        parent = from_outside(_PROPAGATOR.extract(trace_of(headers), Context()))
        name = f"{scope['method']} {door_of(scope['path'])}"
        with trace.get_tracer(__name__).start_as_current_span(
            name,
            parent,
            SpanKind.SERVER,
            attributes={"http.request.method": scope["method"]},
            record_exception=False,  # its line in the log has it
        ) as span:
            _request.set(span)
            scope.setdefault("state", {})[TRACE_ID] = telemetry.current_trace_id()

            async def sent(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self._app(scope, receive, sent)
            except BaseException as error:
                # The server answers in its place.
                span.set_attribute("http.response.status_code", status_of(error))
                raise


def door_of(path: str) -> str:
    """The first two parts of a path: ids stay out of span names."""
    return "/".join(path.split("/", 3)[:3])
