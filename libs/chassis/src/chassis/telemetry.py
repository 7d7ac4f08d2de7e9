"""Traces: spans around what is sent and processed, and the context that travels with it.

The attribute names of OpenTelemetry's messaging conventions stand here and nowhere else. Baggage
entries that begin with `trade.` (the UCR, the declaration's id) are copied onto every span, so
that whatever happens to a shipment can be found by it. A context that is given wins over the
current one: a span's parent is what caused the work, not what happened to run it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import baggage, context, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Link, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

PREFIX = "trade."
UCR = "trade.ucr"
DECLARATION_ID = "trade.declaration.id"

_PROPAGATOR = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])


class BaggageOnSpans(SpanProcessor):
    """Copies `trade.*` baggage onto every span as it starts."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        span.set_attributes(_entries(parent_context))

    def on_end(self, span: ReadableSpan) -> None: ...

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - nothing is held back
        return True


def configure(service: str, build: str, instance: str, endpoint: str = "") -> TracerProvider:
    """Set up the process's tracing; without an endpoint spans are made, carried on, and not exported."""
    resource = Resource.create({"service.name": service, "service.version": build, "service.instance.id": instance})
    exporters = [OTLPSpanExporter(endpoint=endpoint, insecure=True, timeout=5)] if endpoint else []
    provider = make_provider(resource, exporters)
    trace.set_tracer_provider(provider)
    propagate.set_global_textmap(_PROPAGATOR)
    return provider


def make_provider(resource: Resource, exporters: Sequence[SpanExporter]) -> TracerProvider:
    """A provider that annotates spans with baggage and exports them in batches, soon."""
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BaggageOnSpans())
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500, max_queue_size=8192))
    return provider


@contextmanager
def process_span(
    name: str,
    headers: Mapping[str, str],
    *,
    links: Iterable[Mapping[str, str]] = (),
    baggage: Mapping[str, str] | None = None,
) -> Iterator[trace.Span]:
    """A span around the processing of one message or command.

    Args:
        headers: W3C headers of the cause, which becomes the parent; empty: the current context.
        links: W3C headers of earlier stimuli of the same subject.
        baggage: `trade.*` entries known already.
    """
    parent = _PROPAGATOR.extract(headers, Context()) if headers else context.get_current()
    token = context.attach(_with_baggage(baggage or {}, parent))
    try:
        with _tracer().start_as_current_span(
            name,
            kind=SpanKind.CONSUMER,
            links=_links(links),
            attributes={"messaging.system": "kafka", "messaging.operation.type": "process"},
        ) as span:
            yield span
    finally:
        context.detach(token)


@contextmanager
def send_span(
    topic: str, headers: Mapping[str, str], event_id: str, *, cause: Mapping[str, str]
) -> Iterator[trace.Span]:
    """A span around one event's way to the broker, a child of what decided the event, linked to what caused that."""
    token = context.attach(_PROPAGATOR.extract(headers, Context()))
    try:
        with _tracer().start_as_current_span(
            f"send {topic}",
            kind=SpanKind.PRODUCER,
            links=_links([cause]),
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "send",
                "messaging.destination.name": topic,
                "messaging.message.id": event_id,
            },
        ) as span:
            yield span
    finally:
        context.detach(token)


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[trace.Span]:
    """A span of the current context around an inner step."""
    with _tracer().start_as_current_span(name, attributes=attributes) as inner:
        yield inner


def failed(span: trace.Span, error: BaseException) -> None:
    """Mark a span as failed without ending anything."""
    span.record_exception(error)
    span.set_status(StatusCode.ERROR, type(error).__name__)


def inject() -> dict[str, str]:
    """The current context as W3C headers."""
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers)
    return headers


@contextmanager
def baggage_context(entries: Mapping[str, str]) -> Iterator[None]:
    """Add baggage to the current context for a while."""
    token = context.attach(_with_baggage(entries, context.get_current()))
    try:
        yield
    finally:
        context.detach(token)


def annotate(span: trace.Span) -> None:
    """Copy the current `trade.*` baggage onto a span that began before it was known."""
    span.set_attributes(_entries(None))


def trace_id(headers: Mapping[str, str]) -> str:
    """The trace's id in W3C headers, 32 hex digits; empty where there is none."""
    found = trace.get_current_span(_PROPAGATOR.extract(headers, Context())).get_span_context()
    return format(found.trace_id, "032x") if found.is_valid else ""


def current_trace_id() -> str:
    """The trace's id of the current context, 32 hex digits; empty where there is none."""
    found = trace.get_current_span().get_span_context()
    return format(found.trace_id, "032x") if found.is_valid else ""


def log_fields() -> dict[str, str]:
    """What every log line carries: trace id, span id and the `trade.*` baggage."""
    fields = _entries(None)
    found = trace.get_current_span().get_span_context()
    if found.is_valid:
        fields |= {"trace_id": format(found.trace_id, "032x"), "span_id": format(found.span_id, "016x")}
    return fields


def _links(headers: Iterable[Mapping[str, str]]) -> list[Link]:
    found = (trace.get_current_span(_PROPAGATOR.extract(each, Context())).get_span_context() for each in headers)
    return [Link(each) for each in found if each.is_valid]


def _tracer() -> trace.Tracer:
    # Asked for each time: a test or a process sets its provider after this module was imported.
    return trace.get_tracer("trade.chassis")


def _with_baggage(entries: Mapping[str, str], parent: Context) -> Context:
    for name, value in entries.items():
        parent = baggage.set_baggage(name, value, parent)
    return parent


def _entries(parent: Context | None) -> dict[str, str]:
    return {name: str(value) for name, value in baggage.get_all(parent).items() if name.startswith(PREFIX)}
