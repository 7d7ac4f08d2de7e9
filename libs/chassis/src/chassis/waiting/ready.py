"""Finds due documents that are not parked."""

from collections.abc import Sequence
from datetime import datetime

from chassis.aggregates.document import Document
from chassis.aggregates.store import Documents
from chassis.parking import Locked, key_lock


async def unlocked(
    documents: Documents, parking: Locked, moment: str, now: datetime, limit: int, topics: Sequence[str] = ()
) -> list[Document]:
    """Up to `limit` documents whose `moment` (due_at, try_after) has passed, earliest first, without parked ones.

    Reads on past parked ones, so that many of them at the front do not starve the rest.
    """
    shut: set[str] = set()
    while True:
        beside = {"_id": {"$nin": sorted(shut)}} if shut else {}
        found = await documents.find({moment: {"$lte": now}, **beside}, sort=[(moment, 1)], limit=limit)
        free = await without_parked(parking, found, topics)
        if free or len(found) < limit:
            return free
        shut |= {document["_id"] for document in found}


async def without_parked(parking: Locked, documents: Sequence[Document], topics: Sequence[str] = ()) -> list[Document]:
    """The documents that have nothing parked, neither by id nor by their key on one of `topics`."""

    def locks(document: Document) -> set[str]:
        return {document["_id"], *(key_lock(topic, document["key"]) for topic in topics)}

    if not documents:
        return []
    locked = await parking.locked(set[str]().union(*map(locks, documents)))
    return [document for document in documents if not locked & locks(document)]
