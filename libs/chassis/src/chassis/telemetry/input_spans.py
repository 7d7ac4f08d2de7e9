"""The span of one input to an aggregate, for traces and logs.

Deciding is pure: nothing inside a step reads the current context, so none is set. A step's outgoing headers are built
directly from the incoming ones; when no spans are exported, this is most of the cost of tracing.
"""

from collections.abc import Iterable, Mapping
from random import getrandbits
from types import TracebackType

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from chassis.telemetry import span_provider, trace_headers, tracing

_TRACE_BITS, _SPAN_BITS = 128, 64


class Step:
    """The span of one input. Use it as `with begin(…) as step`."""

    __slots__ = ("_entries", "_span", "_traceparent", "_tracestate")

    def __init__(
        self, traceparent: str, tracestate: str, entries: Mapping[str, str], span: trace.Span | None = None
    ) -> None:
        self._traceparent, self._tracestate, self._entries, self._span = traceparent, tracestate, entries, span

    def __enter__(self) -> "Step":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        if self._span is not None:
            if error is not None:
                tracing.failed(self._span, error)
            self._span.end()

    @property
    def recorded(self) -> bool:
        """Whether its span will be exported."""
        return self._span is not None

    def failed(self, error: Exception) -> None:
        """Record on the span why the input cannot be applied."""
        if self._span is not None:
            self._span.record_exception(error)

    def know(self, baggage: Mapping[str, str]) -> None:
        """Add baggage entries that the decision produced."""
        if baggage.items() <= self._entries.items():
            return
        self._entries = {**self._entries, **baggage}
        if self._span is not None:
            self._span.set_attributes(_shown(self._entries))

    @property
    def headers(self) -> dict[str, str]:
        """W3C headers for the input's events."""
        headers = {"traceparent": self._traceparent} if self._traceparent else {}
        if self._tracestate:
            headers["tracestate"] = self._tracestate
        if self._entries:
            headers |= trace_headers.baggage_headers(tuple(self._entries.items()))
        return headers

    @property
    def log_fields(self) -> dict[str, str]:
        """Fields for a log line about the input: as `tracing.log_fields`."""
        fields = _shown(self._entries)
        if self._traceparent:
            _, fields["trace_id"], fields["span_id"], _ = self._traceparent.split("-")
        return fields


def begin(
    name: str, headers: Mapping[str, str], *, links: Iterable[Mapping[str, str]] = (), known: Mapping[str, str]
) -> Step:
    """A step whose parent is in these W3C headers; without any, the current context.

    Args:
        links: W3C headers of earlier inputs of the same aggregate.
        known: the aggregate's baggage entries.
    """
    headers = headers or trace_headers.inject()
    entries = trace_headers.read_baggage(headers.get("baggage", ""))
    if known:
        entries = {**entries, **known}
    provider, unrecorded = span_provider.unheard(), trace_headers.unrecorded(headers)
    if provider is None and not unrecorded:
        span = tracing.start_span(name, headers, SpanKind.CONSUMER, links=links, known=known)
        here = trace_headers.inject_span(span)
        return Step(here.get("traceparent", ""), here.get("tracestate", ""), entries, span)
    trace_id = trace_headers.trace_id(headers) or f"{getrandbits(_TRACE_BITS) or 1:032x}"
    own = f"00-{trace_id}-{getrandbits(_SPAN_BITS) or 1:016x}-{'00' if unrecorded else '01'}"
    return Step(own, headers.get("tracestate", ""), entries)


def _shown(entries: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in entries.items() if name.startswith(trace_headers.PREFIX)}
