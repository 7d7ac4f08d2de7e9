"""Spans of sending and processing, and the propagation of their context.

Only this module uses the attribute names of OpenTelemetry's messaging conventions. A given context takes precedence
over the current one: a span's parent is the cause of the work, not the task that runs it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from types import TracebackType

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from chassis.telemetry import trace_headers
from chassis.telemetry.sampling import Budget
from chassis.telemetry.span_provider import unheard
from chassis.telemetry.trace_headers import extract, inject_span, shown_entries, unrecorded

UCR = "trade.ucr"
DECLARATION_ID = "trade.declaration.id"

_PROCESS = {"messaging.system": "kafka", "messaging.operation.type": "process"}


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
        links: W3C headers of earlier inputs of the same subject.
        baggage: known `trade.*` entries.
    """
    parent = _with_baggage(baggage or {}, extract(headers) if headers else context.get_current())
    return _Current(name, parent, SpanKind.CONSUMER, links, _PROCESS)


def begin_send(
    topic: str, headers: Mapping[str, str], event_id: str, *, cause: Mapping[str, str]
) -> tuple[trace.Span | None, Mapping[str, str]]:
    """Start the span of sending one event: a child of the deciding span, linked to the decision's cause.

    Also returns the W3C headers to send the event with: those of the span, or the given ones if no spans are exported
    and there is none. The caller must end the span, after `failed` if sending failed.
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
    """Start a span without making it current: a child of the given W3C headers, with their baggage and `known`."""
    return _start(name, _with_baggage(known or {}, extract(headers)), kind, _links(links), attributes)


def _start(
    name: str, parent: Context, kind: SpanKind, links: Sequence[Link], attributes: Mapping[str, str]
) -> trace.Span:
    return _tracer().start_span(name, parent, kind, attributes, links)


class _Current:
    """Starts a span, makes it current, and ends it; an error that passes through is recorded on it."""

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
    """A span without any data except its context."""
    ids = provider.id_generator
    trace_id = parent.trace_id if parent.is_valid else ids.generate_trace_id()
    flags = parent.trace_flags if parent.is_valid else TraceFlags(TraceFlags.SAMPLED)
    return trace.NonRecordingSpan(SpanContext(trace_id, ids.generate_span_id(), False, flags, parent.trace_state))


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[trace.Span]:
    """A child span of the current context."""
    with _tracer().start_as_current_span(name, attributes=attributes) as inner:
        yield inner


def failed(span: trace.Span, error: BaseException) -> None:
    """Mark a span as failed, without ending it."""
    span.record_exception(error)
    span.set_status(StatusCode.ERROR, type(error).__name__)


def outsiders(headers: Mapping[str, str]) -> Mapping[str, str]:
    """An external caller's W3C headers with our own flag, so that outsiders do not decide what is recorded."""
    budget = getattr(trace.get_tracer_provider(), "sampler", None)
    if not isinstance(budget, Budget) or not trace_headers.is_plain(headers):
        return headers
    return trace_headers.marked(headers, recorded=budget.begins())


def log_fields() -> dict[str, str]:
    """The fields of every log line: trace id, span id and the `trade.*` baggage."""
    fields = shown_entries()
    found = trace.get_current_span().get_span_context()
    if found.is_valid:
        fields |= {"trace_id": format(found.trace_id, "032x"), "span_id": format(found.span_id, "016x")}
    return fields


def _links(headers: Iterable[Mapping[str, str]]) -> list[Link]:
    found = (trace.get_current_span(extract(each)).get_span_context() for each in headers if each)
    return [Link(each) for each in found if each.is_valid]


def _tracer() -> trace.Tracer:
    # Looked up each time: the provider is set after this module was imported.
    return _tracer_of(trace.get_tracer_provider())


@lru_cache(maxsize=1)
def _tracer_of(provider: trace.TracerProvider) -> trace.Tracer:
    return provider.get_tracer("trade.chassis")


def _with_baggage(entries: Mapping[str, str], parent: Context) -> Context:
    for name, value in entries.items():
        if baggage.get_baggage(name, parent) != value:
            parent = baggage.set_baggage(name, value, parent)
    return parent
