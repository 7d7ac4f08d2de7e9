"""Spans as light as can be: who is whose child, and who links to whom. What the SDK exports, without the SDK."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from chassis.telemetry import tracing


class Spans:
    """Keeps what every span leads to."""

    def __init__(self) -> None:
        self.causes: dict[str, list[str]] = {}
        """`<trace>/<span>` → the same of its parent and its links."""
        self._made = 0

    def start(
        self,
        name: str,
        parent: Context,
        kind: SpanKind,
        links: Sequence[Link],
        attributes: Any,
    ) -> trace.Span:
        """A span in place of the SDK's."""
        above = trace.get_current_span(parent).get_span_context()
        self._made += 1
        # Numbers beyond those of the load, so that they never meet.
        mine = SpanContext(
            above.trace_id if above.is_valid else (1 << 127) + self._made,
            (1 << 63) + self._made,
            is_remote=False,
            trace_flags=TraceFlags(1),
        )
        causes = (above, *(link.context for link in links))
        self.causes[_name(mine)] = [_name(each) for each in causes if each.is_valid]
        return NonRecordingSpan(mine)


@contextmanager
def collected() -> Iterator[Spans]:
    """Collect the spans of everything that runs meanwhile."""
    spans, real = Spans(), tracing._start
    tracing._start = spans.start
    try:
        yield spans
    finally:
        tracing._start = real


def _name(context: SpanContext) -> str:
    return f"{context.trace_id:032x}/{context.span_id:016x}"
