"""Spans of shipments: what is kept of an OTLP export, and for how long.

Kept are spans that carry `trade.ucr`. Number and size are bounded, so that a chatty or hostile
exporter costs a bounded amount of storage; what is left out is counted and told to the exporter.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from pymongo import ASCENDING, IndexModel

from chassis.clock import Clock
from chassis.mongo import Database, insert_missing
from chassis.telemetry import UCR
from tracking import metrics

MAX_TEXT = 300
MAX_ATTRIBUTES = 40
MAX_LINKS = 20
MAX_UCR = 35
REMEMBERED_SHIPMENTS = 10_000

_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8
_LAST_NANOSECOND = 253_402_300_799 * 10**9


@dataclass(frozen=True, slots=True)
class KeptSpan:
    """One span, cut to size. Ids are lower-case hex."""

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
    """Per span of an export what is kept of it, None where it carries no UCR."""
    for resource in request.resource_spans:
        service = _text(_attribute(resource.resource.attributes, "service.name"))
        for scope in resource.scope_spans:
            for span in scope.spans:
                ucr = _text(_attribute(span.attributes, UCR))
                valid = len(span.trace_id) == _TRACE_ID_BYTES and len(span.span_id) == _SPAN_ID_BYTES
                yield _kept(span, ucr, service) if valid and 0 < len(ucr) <= MAX_UCR else None


def _kept(span: OtlpSpan, ucr: str, service: str) -> KeptSpan:
    # The database takes no null in a name, and would refuse the neighbours with it.
    attributes = {each.key.replace("\0", "")[:MAX_TEXT]: _text(each.value) for each in span.attributes[:MAX_ATTRIBUTES]}
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
    """A scalar attribute as text; lists and maps are named, not kept."""
    if value is None:
        return ""
    kind = value.WhichOneof("value")
    if kind in ("string_value", "bool_value", "int_value", "double_value"):
        return str(getattr(value, kind))[:MAX_TEXT]
    return f"({kind or 'empty'})"


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(min(nanoseconds, _LAST_NANOSECOND) / 1e9, UTC)


class SpanStore:
    """Spans by trace and span id, bounded per shipment and in all."""

    def __init__(self, database: Database, clock: Clock, *, days: float, per_shipment: int, in_all: int) -> None:
        self._spans = database["spans"]
        self._clock = clock
        self._life = timedelta(days=days)
        self._per_shipment = per_shipment
        self._in_all = in_all
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._total: int | None = None

    async def create_indexes(self) -> None:
        """Create what is missing; harmless to repeat."""
        await self._spans.create_indexes(
            [IndexModel([("ucr", ASCENDING)]), IndexModel([("trace_id", ASCENDING)]), IndexModel([("expires_at", 1)])]
        )

    async def add(self, spans: Sequence[KeptSpan]) -> int:
        """Keep spans as far as the bounds allow; return how many were left out."""
        fitting = [span for span in spans if await self._fits(span.ucr)]
        expires_at = self._clock.now() + self._life
        documents = [
            asdict(span) | {"_id": f"{span.trace_id}/{span.span_id}", "expires_at": expires_at} for span in fitting
        ]
        await insert_missing(self._spans, documents)
        metrics.SPANS.labels("kept").inc(len(fitting))
        metrics.SPANS.labels("over_bound").inc(len(spans) - len(fitting))
        return len(spans) - len(fitting)

    async def of(self, ucr: str) -> list[dict[str, Any]]:
        """A shipment's spans by start."""
        cursor = self._spans.find({"ucr": ucr}, {"_id": 0, "expires_at": 0}).limit(self._per_shipment)
        return sorted([document async for document in cursor], key=lambda each: (each["started_at"], each["span_id"]))

    async def shipments_of_trace(self, trace_id: str) -> set[str]:
        """UCRs that a trace has touched."""
        return {document["ucr"] async for document in self._spans.find({"trace_id": trace_id}, {"ucr": 1}).limit(200)}

    async def remove_expired(self) -> int:
        """Delete spans whose time is over; counts are taken anew."""
        result = await self._spans.delete_many({"expires_at": {"$lte": self._clock.now()}})
        self._counts.clear()
        self._total = None
        return result.deleted_count

    async def _fits(self, ucr: str) -> bool:
        """Count a span in, unless a bound is reached. Counts are of this process: close enough for a bound."""
        if self._total is None:
            self._total = await self._spans.estimated_document_count()
        if ucr not in self._counts:
            self._counts[ucr] = await self._spans.count_documents({"ucr": ucr})
            if len(self._counts) > REMEMBERED_SHIPMENTS:
                self._counts.popitem(last=False)
        if self._counts[ucr] >= self._per_shipment or self._total >= self._in_all:
            return False
        self._counts[ucr] += 1
        self._total += 1
        return True
