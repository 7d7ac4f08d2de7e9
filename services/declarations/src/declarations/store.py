"""Partner events and reserved serials in MongoDB.

partner_events: { _id, type, classifier, decisive: { <name of the strongest reference>: its value }, references,
                  occurred_at, received_at, publisher, actor, data, trace,
                  look_again_at, attempts }      the last two only while a declaration is missing
serials:        { _id: "<office>-<flag>-<serial>", declaration }
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, UpdateMany, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo import Database, insert_missing
from contracts.values import Classifier
from declarations.domain import number
from declarations.domain.references import DECISIVE, References
from declarations.ports import KeptEvent, SerialRequest

_Document = dict[str, Any]

_INDEXES = [
    *(IndexModel([(f"decisive.{name}", ASCENDING)], sparse=True) for name in DECISIVE),
    IndexModel([("look_again_at", ASCENDING)], sparse=True),
]


class MongoPartnerEvents:
    """The collection `partner_events`."""

    def __init__(self, database: Database) -> None:
        self._collection: AsyncCollection[_Document] = database["partner_events"]

    async def create_indexes(self) -> None:
        """Create missing indexes; harmless to repeat."""
        await self._collection.create_indexes(_INDEXES)

    async def keep(self, events: Sequence[KeptEvent]) -> None:
        await insert_missing(self._collection, [_document(event) for event in events])

    async def mark_waiting(self, next_attempts: Mapping[str, datetime]) -> None:
        if next_attempts:
            await self._collection.bulk_write(
                [
                    UpdateOne({"_id": id_}, {"$set": {"look_again_at": moment}, "$inc": {"attempts": 1}})
                    for id_, moment in next_attempts.items()
                ],
                ordered=False,
            )

    async def mark_matched(self, ids: Sequence[str]) -> None:
        if ids:
            waiting = {"_id": {"$in": list(ids)}, "look_again_at": {"$exists": True}}
            await self._collection.bulk_write([UpdateMany(waiting, {"$unset": {"look_again_at": "", "attempts": ""}})])

    async def with_references(self, references: Sequence[References]) -> list[KeptEvent]:
        found: list[_Document] = []
        for name in DECISIVE:
            values = sorted({value for each in references if (value := getattr(each, name))})
            if values:
                query = {f"decisive.{name}": {"$in": values}, "classifier": Classifier.ACTUAL.value}
                found += await self._collection.find(query).to_list()
        return [_event(document) for document in found]

    async def due(self, now: datetime, limit: int) -> list[KeptEvent]:
        cursor = self._collection.find({"look_again_at": {"$lte": now}}).sort("look_again_at", ASCENDING).limit(limit)
        return [_event(document) async for document in cursor]

    async def unmatched(self, *, after_id: str, limit: int) -> list[KeptEvent]:
        query = {"look_again_at": {"$exists": True}, "_id": {"$gt": after_id}}
        cursor = self._collection.find(query).sort("_id", ASCENDING).limit(limit)
        return [_event(document) async for document in cursor]


class MongoSerials:
    """The collection `serials`: one claim document per office, flag and serial."""

    def __init__(self, database: Database) -> None:
        self._collection: AsyncCollection[_Document] = database["serials"]

    async def reserve(self, requests: Sequence[SerialRequest]) -> list[str]:
        reserved: dict[SerialRequest, str] = {}
        open_, attempt = list(dict.fromkeys(requests)), 0
        while open_:
            claims = {each: _claim_id(each, number.candidate(each.declaration_id, attempt)) for each in open_}
            await insert_missing(
                self._collection, [{"_id": id_, "declaration": each.declaration_id} for each, id_ in claims.items()]
            )
            found = self._collection.find({"_id": {"$in": sorted(set(claims.values()))}})
            holders = {document["_id"]: document["declaration"] async for document in found}
            for each, id_ in claims.items():
                if holders[id_] == each.declaration_id:
                    reserved[each] = number.candidate(each.declaration_id, attempt)
            open_, attempt = [each for each in open_ if each not in reserved], attempt + 1
        return [reserved[each] for each in requests]


def _claim_id(request: SerialRequest, serial: str) -> str:
    return f"{request.office}-{number.flag(request.direction)}-{serial}"


def _document(event: KeptEvent) -> _Document:
    decisive = event.references.decisive
    return {
        "_id": event.id,
        "type": event.type,
        "classifier": event.classifier,
        "decisive": dict([decisive]) if decisive else {},
        "references": asdict(event.references),
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "publisher": event.publisher,
        "actor": event.actor,
        "data": event.data,
        "trace": dict(event.trace),
    }


def _event(document: _Document) -> KeptEvent:
    return KeptEvent(
        id=document["_id"],
        type=document["type"],
        classifier=document["classifier"],
        references=References(**document["references"]),
        occurred_at=document["occurred_at"],
        received_at=document["received_at"],
        publisher=document["publisher"],
        actor=document["actor"],
        data=document["data"],
        trace=document["trace"],
        attempts=document.get("attempts", 0),
    )
