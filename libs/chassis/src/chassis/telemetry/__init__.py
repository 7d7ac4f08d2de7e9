"""Traces, logs and metrics of a service.

Owns: the process's tracer, its log lines, its Prometheus registry, and the span of an input. Keeps: log lines hold no
secrets and no personal data; a trace is recorded as a whole or not at all; telemetry never fails or delays the work it
observes. Must not know what a service does: it is the lowest wing, and imports no other.
"""

from chassis.telemetry.metrics import INFRASTRUCTURE_FAILURES
from chassis.telemetry.sampling import from_outside
from chassis.telemetry.storms import calm_stderr
from chassis.telemetry.trace_headers import current_trace_id, inject, trace_id
from chassis.telemetry.tracing import DECLARATION_ID, UCR, outsiders, process_span

__all__ = [
    "DECLARATION_ID",
    "INFRASTRUCTURE_FAILURES",
    "UCR",
    "calm_stderr",
    "current_trace_id",
    "from_outside",
    "inject",
    "outsiders",
    "process_span",
    "trace_id",
]
