"""Documents whose moment has come, and that nothing parked holds back."""

from datetime import datetime

from chassis.aggregates.document import Document
from chassis.aggregates.documents import Documents
from chassis.parking import ParkingStore


async def unlocked(
    documents: Documents, parking: ParkingStore, moment: str, now: datetime, limit: int
) -> list[Document]:
    """Up to `limit` documents whose `moment` (due_at, try_after) has come, the earliest first, none of them parked.

    Looks behind the parked ones: so many of them at the front must not starve the rest.
    """
    shut: set[str] = set()
    while True:
        beside = {"_id": {"$nin": sorted(shut)}} if shut else {}
        found = await documents.find({moment: {"$lte": now}, **beside}, sort=[(moment, 1)], limit=limit)
        locked = await parking.locked([document["_id"] for document in found]) if found else set()
        free = [document for document in found if document["_id"] not in locked]
        if free or len(found) < limit:
            return free
        shut |= locked
