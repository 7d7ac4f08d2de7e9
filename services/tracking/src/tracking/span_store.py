"""Spans by trace and span id: how many are kept, and for how long.

Keeps: a shipment and all of them together have their bounds, and a span costs no shipment anything: one look and one
write for as many as came together, acknowledged without the journal. What is lost in a crash explains less, no more.
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


class Room:
    """How many spans are stored as far as this process knows: close enough for a bound."""

    def __init__(self, per_shipment: int, in_all: int) -> None:
        self._per_shipment = per_shipment
        self._in_all = in_all
        self.total: int | None = None
        """Of all shipments; None: not known yet."""
        self._stored: OrderedDict[str, int] = OrderedDict()

    def unknown(self, ucrs: Collection[str]) -> set[str]:
        """The shipments of which nothing is known."""
        return {ucr for ucr in ucrs if ucr not in self._stored}

    def learn(self, stored: Mapping[str, int]) -> None:
        """Take in what the database answered; what is known already stays."""
        for ucr, count in stored.items():
            self._stored.setdefault(ucr, count)

    def take(self, spans: Sequence[KeptSpan]) -> list[KeptSpan]:
        """Those that fit, counted in. Every shipment and the total must be known."""
        fitting = [span for span in spans if self._fits(span.ucr)]
        while len(self._stored) > REMEMBERED_SHIPMENTS:
            self._stored.popitem(last=False)
        return fitting

    def _fits(self, ucr: str) -> bool:
        if self.total is None:
            raise LookupError("how many spans are stored is not known")
        if self._stored[ucr] >= self._per_shipment or self.total >= self._in_all:
            return False
        self._stored[ucr] += 1
        self.total += 1
        return True


class SpanStore:
    """Spans by trace and span id, bounded per shipment and in all."""

    def __init__(self, database: Database, clock: Clock, *, days: float, per_shipment: int, in_all: int) -> None:
        self._spans = database["spans"].with_options(write_concern=WriteConcern(w=1, j=False))
        self._clock = clock
        self._life = timedelta(days=days)
        self._bounds = (per_shipment, in_all)
        self._room = Room(*self._bounds)

    async def create_indexes(self) -> None:
        """Create what is missing; harmless to repeat."""
        await self._spans.create_indexes(
            [IndexModel([("ucr", ASCENDING)]), IndexModel([("trace_id", ASCENDING)]), IndexModel([("expires_at", 1)])]
        )

    async def add(self, spans: Sequence[KeptSpan]) -> int:
        """Keep spans as far as the bounds allow; return how many were left out."""
        # One room from the first look to the last span: who removes what has expired begins another.
        room = self._room
        await self._look(room, {span.ucr for span in spans})
        fitting = room.take(spans)
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
        """UCRs that a trace has touched."""
        return {document["ucr"] async for document in self._spans.find({"trace_id": trace_id}, {"ucr": 1}).limit(200)}

    async def remove_expired(self) -> int:
        """Delete spans whose time is over; the rest are counted anew."""
        result = await self._spans.delete_many({"expires_at": {"$lte": self._clock.now()}})
        if result.deleted_count:
            self._room = Room(*self._bounds)
        return result.deleted_count

    async def _look(self, room: Room, ucrs: Collection[str]) -> None:
        """Have the room know all and these shipments: one question for as many as it does not know."""
        if room.total is None:
            room.total = await self._spans.estimated_document_count()
        while unknown := room.unknown(ucrs):
            groups: list[dict[str, Any]] = [
                {"$match": {"ucr": {"$in": sorted(unknown)}}},
                {"$group": {"_id": "$ucr", "count": {"$sum": 1}}},
            ]
            counts = await (await self._spans.aggregate(groups)).to_list()
            room.learn(dict.fromkeys(unknown, 0) | {each["_id"]: each["count"] for each in counts})


def to_document(span: KeptSpan) -> dict[str, Any]:
    """As stored. Attributes are a list: their names are the exporter's, and not all can be names of fields."""
    attributes = [[name, value] for name, value in span.attributes.items()]
    return asdict(span) | {"_id": f"{span.trace_id}/{span.span_id}", "attributes": attributes}


def from_document(document: dict[str, Any]) -> dict[str, Any]:
    """As a page shows it; earlier releases stored attributes as fields."""
    return document | {"attributes": dict(document["attributes"])}
