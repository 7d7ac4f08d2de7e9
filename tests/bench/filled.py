"""Shipments closed per second when past shipments are already stored.

The past shipments are inserted into the services' databases in bulk, copied from a recorded one (`past.py`), with as
many spans as tracking would keep. Topics are not filled, because no service reads a record twice. Playing so many
shipments would take hours; inserting them takes the embedded server minutes, which limits the sizes: 10⁵ shipments
would be some thirty million documents.
"""

import time
from typing import Any

from pymongo import AsyncMongoClient

from bench.figures import Aim, Figure, Tally, percentile
from bench.flow import flow_on
from bench.ground import Ground
from bench.past import Past, past_of
from bench.recording import record
from bench.settling import settle
from tracking.settings import TrackingSettings

IN_FLIGHT = 20
WINDOW_SECONDS = 30.0
WARM_SECONDS = 60.0
TOGETHER = 20
"""Number of shipments per insert."""
LIMIT_SECONDS = 900.0
"""A size that would take longer to insert is skipped, which the result notes."""
SPANS, SPANS_IN_ALL = "tracking.spans", TrackingSettings.model_fields["spans_in_all"].default


async def measure(ground: Ground) -> list[Figure]:
    """Measure the sizes in increasing order on one platform; stored shipments stay for the next size."""
    running = await ground.platform()
    rate, accepted, filling = Tally(), Tally(), Tally()
    notes: list[str] = []
    async with flow_on(running) as flow, AsyncMongoClient[dict[str, Any]](flow.told.mongo_url) as client:
        past = past_of(await record(flow, running.layout.mail))
        await flow.play(ground.size(20, 2), side_by_side=4)
        stored = 0
        for size in sorted(ground.sizes.past):
            if stored and (size - stored) / percentile(filling.rows["shipments"], 50) > LIMIT_SECONDS:
                notes.append(f"{size:,} would take more than {LIMIT_SECONDS:g} s to insert")
                break
            seconds = await fill(client, past, range(stored, size), spans=SPANS_IN_ALL)
            filling.add("shipments", (size - stored) / seconds)
            filling.add("documents", (size - stored) * past.documents / seconds)
            stored = size
            ground.report(f"  {size:,} shipments stored, {past.documents} documents each, in {seconds:.0f} s")
            for _ in range(min(ground.rounds, 3)):
                window = await flow.window(
                    IN_FLIGHT, ground.size(int(WINDOW_SECONDS), 4), warm_seconds=ground.size(int(WARM_SECONDS), 15)
                )
                await settle(flow.told)
                rate.add(_row(size), window.closed / window.seconds)
                if window.accepted_after:
                    accepted.add(f"{_row(size)}, p99", percentile(window.accepted_after, 99))
            ground.report(f"  {size:,} stored: {rate.rows[_row(size)][-1]:.2f} closed a second")
    first, *_, last = [*rate.rows, *rate.rows]
    ends, note = (last, first), "; ".join([f"{IN_FLIGHT} in flight", *notes])
    return [
        Figure("Shipments closed by what is stored", "per s", rate.rows, ends, Aim(0.9, at_least=True), note),
        Figure("To acceptance by what is stored", "s", accepted.rows),
        Figure("Inserted to fill it", "per s", filling.rows),
    ]


def _row(size: int) -> str:
    return f"{size:,} stored"


async def fill(client: AsyncMongoClient[dict[str, Any]], past: Past, numbers: range, *, spans: int) -> float:
    """Insert shipments into the services' databases, with at most `spans` spans in total; returns the seconds taken."""
    begun, held = time.monotonic(), await client["tracking"]["spans"].estimated_document_count()
    for first in range(numbers.start, numbers.stop, TOGETHER):
        for name, copied in past.copies(range(first, min(first + TOGETHER, numbers.stop))):
            documents = copied[: max(0, spans - held)] if name == SPANS else copied
            held += len(documents) if name == SPANS else 0
            service, _, collection = name.partition(".")
            if documents:
                await client[service][collection].insert_many(documents, ordered=False)
    return time.monotonic() - begun
