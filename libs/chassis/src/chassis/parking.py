"""What cannot be processed is parked per target: kept, shown, and replayed in order once mended.

One lock document per parked target; the parked deliveries are documents of their own, keyed by
topic, partition, offset and target. A delivery is written before its lock, and a lock is released
only by a compare-and-set on the version it had before the last look, so that a delivery that is
appended meanwhile keeps the target locked.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.mongo import insert_missing

BREAKER = "~breaker"
"""The lock under which consumption as a whole pauses."""

PageMark: TypeAlias = tuple[datetime, str]
"""Where a page ended: when a delivery was parked, and its id."""


def key_lock(topic: str, key: str) -> str:
    """The lock of what cannot be resolved to a target: topic and key."""
    return f"{topic}|{key}"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands in Kafka."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class ParkedDelivery:
    """One delivery that waits, with all that is needed to understand and to replay it."""

    target: str
    position: Position
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None
    timestamp_ms: int
    reason: str
    """A stable code: undecodable, unknown_version, schema, refused, conflict, behind."""
    error: str = ""
    stack: str = ""
    event_id: str = ""
    event_type: str = ""
    trace_id: str = ""
    build: str = ""
    parked_at: datetime | None = None

    @property
    def id(self) -> str:
        return f"{self.position}/{self.target}"

    @property
    def mark(self) -> PageMark:
        """Its place among all that is parked, oldest first; only a stored delivery has one.

        Raises:
            ValueError: it was not stored.
        """
        if self.parked_at is None:
            raise ValueError(f"{self.id} is not stored")
        return self.parked_at, self.id


class ParkingStore(Protocol):
    async def locked(self, targets: Iterable[str]) -> set[str]:
        """Those of `targets` that have something parked."""
        ...

    async def park(self, deliveries: Sequence[ParkedDelivery]) -> None:
        """Keep deliveries and lock their targets; harmless to repeat."""
        ...

    async def lock_version(self, target: str) -> int | None:
        """The version of a target's lock, None where it has none."""
        ...

    async def waiting(self, target: str, limit: int) -> list[ParkedDelivery]:
        """A target's deliveries in the order of their topics' offsets."""
        ...

    async def release(self, target: str, version: int) -> bool:
        """Unlock a target if nothing was appended since `version` was read."""
        ...

    async def release_empty(self) -> list[str]:
        """Unlock targets that have nothing parked any more: whoever took the last delivery out died before it could."""
        ...

    async def remove(self, delivery_id: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        """Take one delivery out, leaving a line in the audit."""
        ...

    async def show(self, delivery_id: str) -> ParkedDelivery | None: ...

    async def list(self, target: str, after: PageMark | None, limit: int) -> list[ParkedDelivery]:
        """Parked deliveries, oldest first, behind `after`, of one target or of all (empty)."""
        ...

    async def set_breaker(self, reason: str) -> None: ...

    async def clear_breaker(self) -> None: ...

    async def counts(self) -> tuple[int, int]:
        """(parked deliveries, locked targets)"""
        ...


class MongoParking:
    """Parking in the service's own database."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], clock: Clock) -> None:
        self._parked = database["parked"]
        self._locks = database["locks"]
        self._audit = database["parking_audit"]
        self._clock = clock

    async def create_indexes(self) -> None:
        """Create what is missing; harmless to repeat."""
        order = [("target", ASCENDING), ("topic", ASCENDING), ("partition", ASCENDING), ("offset", ASCENDING)]
        age = [("parked_at", ASCENDING), ("_id", ASCENDING)]
        await self._parked.create_indexes([IndexModel(order), IndexModel(age)])

    async def locked(self, targets: Iterable[str]) -> set[str]:
        return {lock["_id"] async for lock in self._locks.find({"_id": {"$in": list(targets)}}, {"_id": 1})}

    async def park(self, deliveries: Sequence[ParkedDelivery]) -> None:
        if not deliveries:
            return
        passage("park.before")
        await insert_missing(self._parked, [self._document(each) for each in deliveries])
        passage("park.kept")
        targets = {each.target for each in deliveries}
        await self._locks.bulk_write(
            [UpdateOne({"_id": target}, {"$set": {"version": _new_version()}}, upsert=True) for target in targets],
            ordered=False,
        )
        passage("park.after")

    async def lock_version(self, target: str) -> int | None:
        lock = await self._locks.find_one({"_id": target})
        return None if lock is None else int(lock["version"])

    async def waiting(self, target: str, limit: int) -> list[ParkedDelivery]:
        order = [("topic", ASCENDING), ("partition", ASCENDING), ("offset", ASCENDING)]
        cursor = self._parked.find({"target": target}).sort(order).limit(limit)
        return [_delivery(document) async for document in cursor]

    async def release(self, target: str, version: int) -> bool:
        passage("release.before")
        result = await self._locks.delete_one({"_id": target, "version": version})
        passage("release.after")
        return result.deleted_count == 1

    async def release_empty(self) -> list[str]:
        # The versions first: a delivery that is kept meanwhile changes its lock's, or locks anew behind the release.
        versions = {lock["_id"]: lock["version"] async for lock in self._locks.find({"_id": {"$ne": BREAKER}})}
        if not versions:
            return []
        full = set(await self._parked.distinct("target"))
        return [
            target for target, version in versions.items() if target not in full and await self.release(target, version)
        ]

    async def remove(self, delivery_id: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        document = await self._parked.find_one({"_id": delivery_id})
        if document is None:
            return
        line = {
            "_id": f"{delivery_id}/{action}",
            "action": action,
            "by": actor,
            "why": reason,
            "outcome": outcome,
            "at": self._clock.now(),
            "delivery": document,
        }
        await self._audit.replace_one({"_id": line["_id"]}, line, upsert=True)
        passage("redrive.audited")
        await self._parked.delete_one({"_id": delivery_id})

    async def show(self, delivery_id: str) -> ParkedDelivery | None:
        document = await self._parked.find_one({"_id": delivery_id})
        return None if document is None else _delivery(document)

    async def list(self, target: str, after: PageMark | None, limit: int) -> list[ParkedDelivery]:
        where: dict[str, Any] = {"target": target} if target else {}
        if after is not None:
            moment, id_ = after
            where["$or"] = [{"parked_at": {"$gt": moment}}, {"parked_at": moment, "_id": {"$gt": id_}}]
        cursor = self._parked.find(where).sort([("parked_at", ASCENDING), ("_id", ASCENDING)]).limit(limit)
        return [_delivery(document) async for document in cursor]

    async def set_breaker(self, reason: str) -> None:
        opened = {"version": _new_version(), "reason": reason, "opened_at": self._clock.now()}
        await self._locks.update_one({"_id": BREAKER}, {"$set": opened}, upsert=True)

    async def clear_breaker(self) -> None:
        await self._locks.delete_one({"_id": BREAKER})

    async def counts(self) -> tuple[int, int]:
        targets = await self._locks.count_documents({"_id": {"$ne": BREAKER}})
        return await self._parked.count_documents({}), targets

    def _document(self, delivery: ParkedDelivery) -> dict[str, Any]:
        return {
            "_id": delivery.id,
            "target": delivery.target,
            "topic": delivery.position.topic,
            "partition": delivery.position.partition,
            "offset": delivery.position.offset,
            "key": delivery.key,
            "headers": [[name, value] for name, value in delivery.headers],
            "value": delivery.value,
            "timestamp_ms": delivery.timestamp_ms,
            "reason": delivery.reason,
            "error": delivery.error,
            "stack": delivery.stack,
            "event_id": delivery.event_id,
            "event_type": delivery.event_type,
            "trace_id": delivery.trace_id,
            "build": delivery.build,
            "parked_at": self._clock.now(),
        }


def _new_version() -> int:
    """Never one that was there before: a lock that was released and taken again must not pass for the old one."""
    return secrets.randbits(62)


def _delivery(document: Mapping[str, Any]) -> ParkedDelivery:
    return ParkedDelivery(
        target=document["target"],
        position=Position(document["topic"], document["partition"], document["offset"]),
        key=document["key"],
        headers=tuple((name, value) for name, value in document["headers"]),
        value=document["value"],
        timestamp_ms=document["timestamp_ms"],
        reason=document["reason"],
        error=document["error"],
        stack=document["stack"],
        event_id=document["event_id"],
        event_type=document["event_type"],
        trace_id=document["trace_id"],
        build=document["build"],
        parked_at=document["parked_at"],
    )
