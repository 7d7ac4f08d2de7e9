"""Traces: spans around what is sent and processed, and the context that travels with it.

The attribute names of OpenTelemetry's messaging conventions stand here and nowhere else. Baggage
entries that begin with `trade.` (the UCR, the declaration's id) are copied onto every span, so
that whatever happens to a shipment can be found by it. A context that is given wins over the
current one: a span's parent is what caused the work, not what happened to run it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from types import TracebackType

from opentelemetry import baggage, context, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis.telemetry.sampling import Budget

PREFIX = "trade."
UCR = "trade.ucr"
DECLARATION_ID = "trade.declaration.id"

_TRACE, _BAGGAGE = TraceContextTextMapPropagator(), W3CBaggagePropagator()
_PROPAGATOR = CompositePropagator([_TRACE, _BAGGAGE])
_PLAIN = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII)
_REMEMBERED = 256
"""So many headers are read or written only once: those of one event are needed some four times."""
_PROCESS = {"messaging.system": "kafka", "messaging.operation.type": "process"}


class BaggageOnSpans(SpanProcessor):
    """Copies `trade.*` baggage onto every span as it starts."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if entries := _entries(parent_context):
            span.set_attributes(entries)

    def on_end(self, span: ReadableSpan) -> None: ...

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - nothing is held back
        return True


class UnheardProvider(TracerProvider):
    """Until somebody listens to its spans, only their contexts are made and carried on, which costs a tenth."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource=resource, shutdown_on_exit=False)
        super().add_span_processor(BaggageOnSpans())
        self.heard = False

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        super().add_span_processor(span_processor)
        self.heard = True


def configure(
    service: str, build: str, instance: str, endpoint: str = "", traces_per_second: float = 5.0
) -> TracerProvider:
    """Set up the process's tracing; without an endpoint spans are made, carried on, and not exported."""
    resource = Resource.create({"service.name": service, "service.version": build, "service.instance.id": instance})
    exporters = [OTLPSpanExporter(endpoint=endpoint, insecure=True, timeout=5)] if endpoint else []
    sampler = Budget(traces_per_second)
    provider = make_provider(resource, exporters, sampler) if exporters else UnheardProvider(resource=resource)
    trace.set_tracer_provider(provider)
    propagate.set_global_textmap(_PROPAGATOR)
    return provider


def make_provider(
    resource: Resource, exporters: Sequence[SpanExporter], sampler: Sampler | None = None
) -> TracerProvider:
    """A provider that annotates spans with baggage and exports them in batches, soon."""
    provider = TracerProvider(sampler, resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BaggageOnSpans())
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500, max_queue_size=8192))
    return provider


def process_span(
    name: str,
    headers: Mapping[str, str],
    *,
    links: Iterable[Mapping[str, str]] = (),
    baggage: Mapping[str, str] | None = None,
) -> AbstractContextManager[trace.Span]:
    """A span around the processing of one message or command.

    Args:
        headers: W3C headers of the cause, which becomes the parent; empty: the current context.
        links: W3C headers of earlier stimuli of the same subject.
        baggage: `trade.*` entries known already.
    """
    parent = _with_baggage(baggage or {}, _extract(headers) if headers else context.get_current())
    return _Current(name, parent, SpanKind.CONSUMER, links, _PROCESS)


def begin_send(
    topic: str, headers: Mapping[str, str], event_id: str, *, cause: Mapping[str, str]
) -> tuple[trace.Span | None, Mapping[str, str]]:
    """A span of one event's way to the broker, a child of what decided the event, linked to what caused that.

    With it the W3C headers that the event is sent with: the span's, or, where nobody listens and there is none, those
    given. Whoever begins it ends it, after `failed` where it failed.
    """
    if unheard() is not None or unrecorded(headers):
        return None, headers
    attributes = {
        "messaging.system": "kafka",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
        "messaging.message.id": event_id,
    }
    span = start_span(f"send {topic}", headers, SpanKind.PRODUCER, links=[cause], attributes=attributes)
    return span, {**headers, **inject_span(span)}


def start_span(
    name: str,
    headers: Mapping[str, str],
    kind: SpanKind,
    *,
    links: Iterable[Mapping[str, str]] = (),
    known: Mapping[str, str] | None = None,
    attributes: Mapping[str, str] = _PROCESS,
) -> trace.Span:
    """A span that is not made current: a child of what these W3C headers say, with their baggage and what is known."""
    return _start(name, _with_baggage(known or {}, _extract(headers)), kind, _links(links), attributes)


def _start(
    name: str, parent: Context, kind: SpanKind, links: Sequence[Link], attributes: Mapping[str, str]
) -> trace.Span:
    return _tracer().start_span(name, parent, kind, attributes, links)


class _Current:
    """A span that begins and is current, then ends; an error that passes is recorded on it."""

    __slots__ = ("_attributes", "_kind", "_links", "_name", "_parent", "_span", "_token")

    def __init__(
        self,
        name: str,
        parent: Context,
        kind: SpanKind,
        links: Iterable[Mapping[str, str]],
        attributes: Mapping[str, str],
    ) -> None:
        self._name, self._parent, self._kind, self._links, self._attributes = name, parent, kind, links, attributes

    def __enter__(self) -> trace.Span:
        self._span = self._begin()
        self._token = context.attach(trace.set_span_in_context(self._span, self._parent))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        context.detach(self._token)
        if error is not None:
            self._span.record_exception(error)
            self._span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        self._span.end()

    def _begin(self) -> trace.Span:
        if (provider := unheard()) is not None:
            return _unheard(provider, trace.get_current_span(self._parent).get_span_context())
        return _start(self._name, self._parent, self._kind, _links(self._links), self._attributes)


def _unheard(provider: TracerProvider, parent: SpanContext) -> trace.Span:
    """A span of which nothing is kept but who it is."""
    ids = provider.id_generator
    trace_id = parent.trace_id if parent.is_valid else ids.generate_trace_id()
    flags = parent.trace_flags if parent.is_valid else TraceFlags(TraceFlags.SAMPLED)
    return trace.NonRecordingSpan(SpanContext(trace_id, ids.generate_span_id(), False, flags, parent.trace_state))


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
    headers = inject_span(trace.get_current_span())
    if entries := baggage.get_all():
        headers |= baggage_headers(tuple(entries.items()))
    return headers


def inject_span(span: trace.Span) -> dict[str, str]:
    """A span as W3C headers, without any baggage."""
    headers: dict[str, str] = {}
    found = span.get_span_context()
    if found.is_valid:
        headers["traceparent"] = f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"
        if found.trace_state:
            headers["tracestate"] = found.trace_state.to_header()
    return headers


def unheard() -> "UnheardProvider | None":
    """The process's provider of spans, where nobody listens to it."""
    provider = trace.get_tracer_provider()
    return provider if isinstance(provider, UnheardProvider) and not provider.heard else None


def outsiders(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The W3C headers that an outsider sent, with a flag of ours: nobody outside decides what is recorded."""
    budget = getattr(trace.get_tracer_provider(), "sampler", None)
    if not isinstance(budget, Budget) or not _PLAIN.fullmatch(headers.get("traceparent", "")):
        return headers
    return {**headers, "traceparent": headers["traceparent"][:-2] + ("01" if budget.begins() else "00")}


def unrecorded(headers: Mapping[str, str]) -> bool:
    """Whether W3C headers are of a trace that nobody records."""
    plain = _PLAIN.fullmatch(headers.get("traceparent", ""))
    return plain is not None and not int(plain[3], 16) & TraceFlags.SAMPLED


def trace_id(headers: Mapping[str, str]) -> str:
    """The trace's id in W3C headers, 32 hex digits; empty where there is none."""
    if plain := _PLAIN.fullmatch(headers.get("traceparent", "")):
        return plain[1]
    found = trace.get_current_span(_extract(headers)).get_span_context()
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


def _extract(headers: Mapping[str, str]) -> Context:
    """The context that W3C headers carry."""
    return _read(headers.get("traceparent", ""), headers.get("tracestate", ""), headers.get("baggage", ""))


@lru_cache(_REMEMBERED)
def _read(traceparent: str, tracestate: str, entries: str) -> Context:
    plain = None if tracestate else _PLAIN.fullmatch(traceparent)
    if plain is None:
        headers = {"traceparent": traceparent, "tracestate": tracestate}
        return _TRACE.extract({name: value for name, value in headers.items() if value}, _read_baggage(entries))
    # Nearly all are of this form, and the library takes three times as long for it.
    trace_id, span_id, flags = (int(each, 16) for each in plain.groups())
    found = SpanContext(trace_id, span_id, True, TraceFlags(flags))
    return trace.set_span_in_context(trace.NonRecordingSpan(found), _read_baggage(entries))


@lru_cache(_REMEMBERED)
def _read_baggage(entries: str) -> Context:
    return _BAGGAGE.extract({"baggage": entries} if entries else {}, Context())


@lru_cache(_REMEMBERED)
def read_baggage(header: str) -> Mapping[str, str]:
    """The entries of a baggage header. Not to be changed: they are remembered."""
    return {name: str(value) for name, value in baggage.get_all(_read_baggage(header)).items()}


@lru_cache(_REMEMBERED)
def baggage_headers(entries: tuple[tuple[str, object], ...]) -> dict[str, str]:
    """Baggage as a header. Not to be changed: it is remembered."""
    holder = Context()
    for name, value in entries:
        holder = baggage.set_baggage(name, value, holder)
    headers: dict[str, str] = {}
    _BAGGAGE.inject(headers, holder)
    return headers


def _links(headers: Iterable[Mapping[str, str]]) -> list[Link]:
    found = (trace.get_current_span(_extract(each)).get_span_context() for each in headers if each)
    return [Link(each) for each in found if each.is_valid]


def _tracer() -> trace.Tracer:
    # Asked for each time: a test or a process sets its provider after this module was imported.
    return _tracer_of(trace.get_tracer_provider())


@lru_cache(maxsize=1)
def _tracer_of(provider: trace.TracerProvider) -> trace.Tracer:
    return provider.get_tracer("trade.chassis")


def _with_baggage(entries: Mapping[str, str], parent: Context) -> Context:
    for name, value in entries.items():
        if baggage.get_baggage(name, parent) != value:
            parent = baggage.set_baggage(name, value, parent)
    return parent


def _entries(parent: Context | None) -> dict[str, str]:
    return {name: str(value) for name, value in baggage.get_all(parent).items() if name.startswith(PREFIX)}
