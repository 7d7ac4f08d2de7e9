"""Stores spans by trace and span id, limited in number and age.

Invariant: spans are limited per shipment and in total. A batch costs one query and one write, which is acknowledged
without the journal: a crash may lose spans, and only spans.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.write_concern import WriteConcern

from chassis.clock import Clock
from chassis.mongo import Database, insert_missing
from tracking import metrics
from tracking.spans import KeptSpan

REMEMBERED_SHIPMENTS = 10_000


class SpanCounts:
    """Counts of stored spans as far as this process knows; approximate, which is enough for a limit."""

    def __init__(self, per_shipment: int, in_all: int) -> None:
        self._per_shipment = per_shipment
        self._in_all = in_all
        self.total: int | None = None
        """Spans of all shipments; None if not known yet."""
        self._stored: OrderedDict[str, int] = OrderedDict()

    def unknown(self, ucrs: Collection[str]) -> set[str]:
        """The shipments without a known count."""
        return {ucr for ucr in ucrs if ucr not in self._stored}

    def add(self, stored: Mapping[str, int]) -> None:
        """Add counts from the database; counts already known stay."""
        for ucr, count in stored.items():
            self._stored.setdefault(ucr, count)

    def admit(self, spans: Sequence[KeptSpan]) -> list[KeptSpan]:
        """The spans that fit, which are then counted. The total and every shipment's count must be known."""
        fitting = [span for span in spans if self._fits(span.ucr)]
        while len(self._stored) > REMEMBERED_SHIPMENTS:
            self._stored.popitem(last=False)
        return fitting

    def _fits(self, ucr: str) -> bool:
        if self.total is None:
            raise LookupError("the number of stored spans is not known")
        if self._stored[ucr] >= self._per_shipment or self.total >= self._in_all:
            return False
        self._stored[ucr] += 1
        self.total += 1
        return True


class SpanStore:
    """Spans by trace and span id, limited per shipment and in total."""

    def __init__(self, database: Database, clock: Clock, *, days: float, per_shipment: int, in_all: int) -> None:
        self._spans = database["spans"].with_options(write_concern=WriteConcern(w=1, j=False))
        self._clock = clock
        self._life = timedelta(days=days)
        self._bounds = (per_shipment, in_all)
        self._counts = SpanCounts(*self._bounds)

    async def create_indexes(self) -> None:
        """Create missing indexes; harmless to repeat."""
        await self._spans.create_indexes(
            [IndexModel([("ucr", ASCENDING)]), IndexModel([("trace_id", ASCENDING)]), IndexModel([("expires_at", 1)])]
        )

    async def add(self, spans: Sequence[KeptSpan]) -> int:
        """Store spans as far as the limits allow; returns the number of those left out."""
        # Keep one `SpanCounts` for the whole batch: `remove_expired` replaces it.
        counts = self._counts
        await self._load_counts(counts, {span.ucr for span in spans})
        fitting = counts.admit(spans)
        expires_at = self._clock.now() + self._life
        await insert_missing(self._spans, [to_document(span) | {"expires_at": expires_at} for span in fitting])
        metrics.SPANS.labels("kept").inc(len(fitting))
        metrics.SPANS.labels("over_bound").inc(len(spans) - len(fitting))
        return len(spans) - len(fitting)

    async def of(self, ucr: str) -> list[dict[str, Any]]:
        """A shipment's spans by start."""
        cursor = self._spans.find({"ucr": ucr}, {"_id": 0, "expires_at": 0}).limit(self._bounds[0])
        found = [from_document(document) async for document in cursor]
        return sorted(found, key=lambda each: (each["started_at"], each["span_id"]))

    async def shipments_of_trace(self, trace_id: str) -> set[str]:
        """UCRs of the trace's spans."""
        return {document["ucr"] async for document in self._spans.find({"trace_id": trace_id}, {"ucr": 1}).limit(200)}

    async def remove_expired(self) -> int:
        """Delete expired spans and reset the counts; returns the number deleted."""
        result = await self._spans.delete_many({"expires_at": {"$lte": self._clock.now()}})
        if result.deleted_count:
            self._counts = SpanCounts(*self._bounds)
        return result.deleted_count

    async def _load_counts(self, counts: SpanCounts, ucrs: Collection[str]) -> None:
        """Load the total and the counts of these shipments as far as unknown, with one query for all of them."""
        if counts.total is None:
            counts.total = await self._spans.estimated_document_count()
        while unknown := counts.unknown(ucrs):
            groups: list[dict[str, Any]] = [
                {"$match": {"ucr": {"$in": sorted(unknown)}}},
                {"$group": {"_id": "$ucr", "count": {"$sum": 1}}},
            ]
            found = await (await self._spans.aggregate(groups)).to_list()
            counts.add(dict.fromkeys(unknown, 0) | {each["_id"]: each["count"] for each in found})


def to_document(span: KeptSpan) -> dict[str, Any]:
    """The stored form. Attributes are a list, because not every name an exporter uses can be a field name."""
    attributes = [[name, value] for name, value in span.attributes.items()]
    return asdict(span) | {"_id": f"{span.trace_id}/{span.span_id}", "attributes": attributes}


def from_document(document: dict[str, Any]) -> dict[str, Any]:
    """The form that pages show; also reads documents of earlier releases, with attributes as fields."""
    return document | {"attributes": dict(document["attributes"])}
