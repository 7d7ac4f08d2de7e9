"""A span around every request, a child of the caller's span if it sends one.

The caller's baggage is dropped: log lines and spans are found by the platform's own baggage.
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
    """Set the UCR on the current request's spans, once the body is read and the UCR known."""
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
            record_exception=False,  # the log line has it
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
                # The server answers in place of the application.
                span.set_attribute("http.response.status_code", status_of(error))
                raise


def door_of(path: str) -> str:
    """The first two segments of a path, so that span names contain no ids."""
    return "/".join(path.split("/", 3)[:3])
