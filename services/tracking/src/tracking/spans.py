"""Reads the spans of an OTLP export.

Only spans with `trade.ucr` are kept, each truncated, so that an excessive or hostile exporter has a bounded cost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from chassis.telemetry import UCR

MAX_TEXT = 300
MAX_ATTRIBUTES = 40
MAX_LINKS = 20
MAX_UCR = 35

_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8
_LAST_NANOSECOND = 253_402_300_799 * 10**9


@dataclass(frozen=True, slots=True)
class KeptSpan:
    """One truncated span. Ids are lower-case hex."""

    ucr: str
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    service: str
    started_at: str
    milliseconds: float
    status: str
    """ok or error."""
    message: str
    attributes: dict[str, str]
    links: list[str]
    """`<trace id>/<span id>`."""


def read_spans(request: ExportTraceServiceRequest) -> Iterator[KeptSpan | None]:
    """Each span of an export, truncated; None for a span without a UCR."""
    for resource in request.resource_spans:
        service = _text(_attribute(resource.resource.attributes, "service.name"))
        for scope in resource.scope_spans:
            for span in scope.spans:
                ucr = _text(_attribute(span.attributes, UCR))
                valid = len(span.trace_id) == _TRACE_ID_BYTES and len(span.span_id) == _SPAN_ID_BYTES
                yield _kept(span, ucr, service) if valid and 0 < len(ucr) <= MAX_UCR else None


def _kept(span: OtlpSpan, ucr: str, service: str) -> KeptSpan:
    attributes = {each.key[:MAX_TEXT]: _text(each.value) for each in span.attributes[:MAX_ATTRIBUTES]}
    return KeptSpan(
        ucr=ucr,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id[:_SPAN_ID_BYTES].hex(),
        name=span.name[:MAX_TEXT],
        service=service,
        started_at=_moment(span.start_time_unix_nano).isoformat(),
        milliseconds=round(max(0, span.end_time_unix_nano - span.start_time_unix_nano) / 1e6, 3),
        status="error" if span.status.code == span.status.STATUS_CODE_ERROR else "ok",
        message=span.status.message[:MAX_TEXT],
        attributes=attributes,
        links=[
            f"{each.trace_id[:_TRACE_ID_BYTES].hex()}/{each.span_id[:_SPAN_ID_BYTES].hex()}"
            for each in span.links[:MAX_LINKS]
        ],
    )


def _attribute(attributes: Sequence[KeyValue], name: str) -> AnyValue | None:
    return next((each.value for each in attributes if each.key == name), None)


def _text(value: AnyValue | None) -> str:
    """A scalar attribute as text; of lists and maps only the type."""
    if value is None:
        return ""
    kind = value.WhichOneof("value")
    if kind in ("string_value", "bool_value", "int_value", "double_value"):
        return str(getattr(value, kind))[:MAX_TEXT]
    return f"({kind or 'empty'})"


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(min(nanoseconds, _LAST_NANOSECOND) / 1e9, UTC)
