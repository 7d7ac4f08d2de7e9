"""Sampling: limits how many traces are recorded, so that spans never slow down the work.

A trace that begins in this process, or comes from outside, is recorded within a rate limit that allows bursts. All
later spans of the trace, in every service, follow that decision through the W3C flag. An event's cause, and the trace
id in events and logs, do not depend on it.
"""

from collections.abc import Sequence

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from chassis.clock import Clock, SystemClock
from chassis.telemetry import metrics

AT_ONCE = 200
"""The burst that is recorded after a quiet time: a test, a demonstration, a morning's first declarations."""

_OUTSIDE = context.create_key("trade-from-outside")


def from_outside(parent: Context) -> Context:
    """An external caller's context; its flag does not decide what is recorded here."""
    return context.set_value(_OUTSIDE, True, parent)


class Budget(Sampler):
    """Records all spans of recorded traces, and new traces up to the rate limit."""

    def __init__(self, traces_per_second: float, clock: Clock | None = None) -> None:
        self._per_second = traces_per_second
        self._clock = clock or SystemClock()
        self._room = float(AT_ONCE)
        self._filled_at = self._clock.monotonic()

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,  # noqa: ARG002 - the library's signature
        name: str,  # noqa: ARG002
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,  # noqa: ARG002
        trace_state: TraceState | None = None,  # noqa: ARG002
    ) -> SamplingResult:
        parent = trace.get_current_span(parent_context).get_span_context()
        if parent.is_valid and not (parent.is_remote and context.get_value(_OUTSIDE, parent_context)):
            recorded = bool(parent.trace_flags & parent.trace_flags.SAMPLED)
        else:
            recorded = self.begins()
        state = parent.trace_state if parent.is_valid else None
        if recorded:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)
        return SamplingResult(Decision.DROP, None, state)

    def begins(self) -> bool:
        """Whether a trace that begins now is recorded."""
        recorded = self._take()
        metrics.TRACES.labels("yes" if recorded else "no").inc()
        return recorded

    def get_description(self) -> str:
        return f"Budget({self._per_second} traces/s)"

    def _take(self) -> bool:
        now = self._clock.monotonic()
        self._room = min(AT_ONCE, self._room + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._room < 1:
            return False
        self._room -= 1
        return True
