"""Reads and writes the W3C trace headers of events and calls.

Nearly all headers have the standard form, and those of one event are needed about four times. So they are parsed by one
pattern and cached.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

PREFIX = "trade."
"""Prefix of our own baggage entries, which spans and log lines show."""

_TRACE, _BAGGAGE = TraceContextTextMapPropagator(), W3CBaggagePropagator()
PROPAGATOR = CompositePropagator([_TRACE, _BAGGAGE])
_PLAIN = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII)
_REMEMBERED = 256
"""Size of the header caches."""


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


def unrecorded(headers: Mapping[str, str]) -> bool:
    """Whether W3C headers belong to a trace that is not recorded."""
    plain = _PLAIN.fullmatch(headers.get("traceparent", ""))
    return plain is not None and not int(plain[3], 16) & TraceFlags.SAMPLED


def is_plain(headers: Mapping[str, str]) -> bool:
    """Whether W3C headers have the form of the current version."""
    return _PLAIN.fullmatch(headers.get("traceparent", "")) is not None


def marked(headers: Mapping[str, str], *, recorded: bool) -> Mapping[str, str]:
    """Plain W3C headers, with the flag set to `recorded`."""
    return {**headers, "traceparent": headers["traceparent"][:-2] + ("01" if recorded else "00")}


def trace_id(headers: Mapping[str, str]) -> str:
    """The trace id in W3C headers, 32 hex digits; empty if there is none."""
    if plain := _PLAIN.fullmatch(headers.get("traceparent", "")):
        return plain[1]
    found = trace.get_current_span(extract(headers)).get_span_context()
    return format(found.trace_id, "032x") if found.is_valid else ""


def current_trace_id() -> str:
    """The trace id of the current context, 32 hex digits; empty if there is none."""
    found = trace.get_current_span().get_span_context()
    return format(found.trace_id, "032x") if found.is_valid else ""


def extract(headers: Mapping[str, str]) -> Context:
    """The context in W3C headers."""
    return _read(headers.get("traceparent", ""), headers.get("tracestate", ""), headers.get("baggage", ""))


@lru_cache(_REMEMBERED)
def _read(traceparent: str, tracestate: str, entries: str) -> Context:
    plain = None if tracestate else _PLAIN.fullmatch(traceparent)
    if plain is None:
        headers = {"traceparent": traceparent, "tracestate": tracestate}
        return _TRACE.extract({name: value for name, value in headers.items() if value}, _read_baggage(entries))
    # Nearly all headers have this form, for which the library takes three times as long.
    trace_id, span_id, flags = (int(each, 16) for each in plain.groups())
    found = SpanContext(trace_id, span_id, True, TraceFlags(flags))
    return trace.set_span_in_context(trace.NonRecordingSpan(found), _read_baggage(entries))


@lru_cache(_REMEMBERED)
def _read_baggage(entries: str) -> Context:
    return _BAGGAGE.extract({"baggage": entries} if entries else {}, Context())


@lru_cache(_REMEMBERED)
def read_baggage(header: str) -> Mapping[str, str]:
    """The entries of a baggage header. Cached: do not modify."""
    return {name: str(value) for name, value in baggage.get_all(_read_baggage(header)).items()}


@lru_cache(_REMEMBERED)
def baggage_headers(entries: tuple[tuple[str, object], ...]) -> dict[str, str]:
    """Baggage as a header. Cached: do not modify."""
    holder = Context()
    for name, value in entries:
        holder = baggage.set_baggage(name, value, holder)
    headers: dict[str, str] = {}
    _BAGGAGE.inject(headers, holder)
    return headers


def shown_entries(parent: Context | None = None) -> dict[str, str]:
    """The baggage entries that spans and log lines show, of a context or the current one."""
    return {name: str(value) for name, value in baggage.get_all(parent).items() if name.startswith(PREFIX)}
