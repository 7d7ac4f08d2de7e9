"""Parking in the service's own database.

    locks:            {_id: target, version, stray?}          one per parked target; `~breaker` has reason and opened_at
    parked:           {_id: topic/partition/offset/target, …}  whole deliveries
    parking_audit:    {_id, action, target, by, why, outcome, at, delivery}  removed deliveries
    parking_attempts: {_id, action, target, by, why, outcome, at}  actions that removed nothing

`stray` marks a lock taken only for deliveries that were to wait behind others, when those others were gone already.
"""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.mongo import insert_in_order
from chassis.parking.documents import audit_line_of, delivery_of, document_of
from chassis.parking.model import (
    BEHIND,
    BREAKER,
    AuditLine,
    OpenBreaker,
    PageMark,
    ParkedDelivery,
    ParkedTarget,
    TargetPage,
)

_ORDER = [("topic", ASCENDING), ("partition", ASCENDING), ("offset", ASCENDING)]
_WITHOUT_CONTENT = {"value": 0, "headers": 0}
"""Left out of lists: a page of records of nearly a megabyte each would not fit into memory."""


class MongoParking:
    """The real store, behind every port of parking."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], clock: Clock) -> None:
        self._parked = database["parked"]
        self._locks = database["locks"]
        self._audit = database["parking_audit"]
        self._attempts = database["parking_attempts"]
        self._clock = clock

    async def create_indexes(self) -> None:
        """Create missing indexes; idempotent."""
        age = [("parked_at", ASCENDING), ("_id", ASCENDING)]
        await self._parked.create_indexes([IndexModel([("target", ASCENDING), *_ORDER]), IndexModel(age)])
        for lines in (self._audit, self._attempts):
            await lines.create_indexes([IndexModel([("at", ASCENDING), ("_id", ASCENDING)])])

    async def locked(self, targets: Iterable[str]) -> set[str]:
        return {lock["_id"] async for lock in self._locks.find({"_id": {"$in": list(targets)}}, {"_id": 1})}

    async def all_locked(self, limit: int) -> set[str] | None:
        locks = await self._locks.find({}, {"_id": 1}, limit=limit + 1).to_list()
        return None if len(locks) > limit else {lock["_id"] for lock in locks}

    async def park(self, deliveries: Sequence[ParkedDelivery]) -> None:
        if not deliveries:
            return
        passage("park.before")
        # In order: if a cut-off write stored only a later one, it would be redriven before the earlier ones.
        in_order = sorted(deliveries, key=lambda each: each.position)
        await insert_in_order(self._parked, [document_of(each, self._clock.now()) for each in in_order])
        passage("park.kept")
        failed = {each.target for each in deliveries if each.reason != BEHIND}
        targets = {each.target for each in deliveries}
        await self._locks.bulk_write(
            [UpdateOne({"_id": target}, _lock(failed=target in failed), upsert=True) for target in targets],
            ordered=False,
        )
        passage("park.after")

    async def lock_version(self, target: str) -> int | None:
        lock = await self._locks.find_one({"_id": target})
        return None if lock is None else int(lock["version"])

    async def waiting(self, target: str, limit: int) -> list[ParkedDelivery]:
        cursor = self._parked.find({"target": target}).sort(_ORDER).limit(limit)
        return [delivery_of(document) async for document in cursor]

    async def count(self, target: str) -> int:
        return await self._parked.count_documents({"target": target})

    async def release(self, target: str, version: int) -> bool:
        passage("release.before")
        result = await self._locks.delete_one({"_id": target, "version": version})
        passage("release.after")
        return result.deleted_count == 1

    async def is_empty(self) -> bool:
        nothing = await self._locks.find_one({}, {"_id": 1}) is None
        return nothing and await self._parked.find_one({}, {"_id": 1}) is None

    async def release_empty(self) -> list[str]:
        # Read versions first: a delivery stored meanwhile changes its lock's version, or locks again after the release.
        versions = {lock["_id"]: lock["version"] async for lock in self._locks.find({"_id": {"$ne": BREAKER}})}
        if not versions:
            return []
        full = set(await self._parked.distinct("target"))
        return [
            target for target, version in versions.items() if target not in full and await self.release(target, version)
        ]

    async def strays(self, kept_before: datetime) -> list[str]:
        # Read locks after the deliveries: a target locked meanwhile is not a stray.
        kept = await self._parked.distinct("target", {"parked_at": {"$lt": kept_before}})
        locks = {lock["_id"]: lock async for lock in self._locks.find({"_id": {"$ne": BREAKER}})}
        return sorted({target for target in kept if target not in locks} | {t for t in locks if locks[t].get("stray")})

    async def failed_again(self, delivery: ParkedDelivery) -> None:
        now = {"build": delivery.build, "tried_at": self._clock.now()}
        told = {"reason": delivery.reason, "error": delivery.error, "stack": delivery.stack}
        await self._parked.update_one({"_id": delivery.id}, {"$set": {**told, **now}})
        await self._locks.update_one({"_id": delivery.target}, _lock(failed=True), upsert=True)

    async def remove(self, delivery_id: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        document = await self._parked.find_one({"_id": delivery_id})
        if document is None:
            return
        line = self._line(document["target"], action, actor, reason, outcome) | {"delivery": document}
        # The audit keeps the first actor, also if this is a repeat after a crash.
        await self._audit.update_one({"_id": f"{delivery_id}/{action}"}, {"$setOnInsert": line}, upsert=True)
        passage("redrive.audited")
        await self._parked.delete_one({"_id": delivery_id})

    async def write_audit(self, target: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        line = self._line(target, action, actor, reason, outcome)
        await self._attempts.insert_one({"_id": f"{target}/{action}/{secrets.token_hex(8)}", **line})

    def _line(self, target: str, action: str, actor: str, why: str, outcome: str) -> dict[str, Any]:
        return {
            "action": action, "target": target, "by": actor, "why": why, "outcome": outcome, "at": self._clock.now(),
        }  # fmt: skip

    async def audit(self, target: str, before: PageMark | None, limit: int) -> list[AuditLine]:
        where: dict[str, Any] = {"target": target} if target else {}
        if before is not None:
            where |= _beyond("at", before, "$lt")
        leave_out = {f"delivery.{name}": 0 for name in _WITHOUT_CONTENT}
        latest_first = [("at", DESCENDING), ("_id", DESCENDING)]
        cursors = [
            each.find(where, leave_out).sort(latest_first).limit(limit) for each in (self._audit, self._attempts)
        ]
        found = [audit_line_of(document) for cursor in cursors async for document in cursor]
        return sorted(found, key=lambda line: line.mark, reverse=True)[:limit]

    async def discarded(self, after: PageMark | None, limit: int) -> list[AuditLine]:
        where: dict[str, Any] = {"action": "discarded"}
        if after is not None:
            where |= _beyond("at", after, "$gt")
        cursor = self._audit.find(where).sort([("at", ASCENDING), ("_id", ASCENDING)]).limit(limit)
        return [audit_line_of(document) async for document in cursor]

    async def show(self, delivery_id: str) -> ParkedDelivery | None:
        document = await self._parked.find_one({"_id": delivery_id})
        return None if document is None else delivery_of(document)

    async def targets(self, after: str, limit: int) -> TargetPage:
        # The breaker's lock on top of every page: where nothing is parked, one question answers everything.
        where = {"$or": [{"_id": {"$gt": after, "$ne": BREAKER}}, {"_id": BREAKER}]} if after else {}
        locks = {lock["_id"]: lock async for lock in self._locks.find(where).sort("_id").limit(limit + 1)}
        breaker = locks.pop(BREAKER, None)
        if breaker is None and len(locks) > limit:
            breaker = await self._locks.find_one({"_id": BREAKER})
        names = list(locks)[:limit]
        found = await asyncio.gather(*[self.target(name) for name in names])
        last = names[-1] if len(names) == limit else ""
        return TargetPage([each for each in found if each is not None], last, _open(breaker))

    async def target(self, target: str) -> ParkedTarget | None:
        of_it = {"target": target}
        first = await self._parked.find(of_it, _WITHOUT_CONTENT).sort(_ORDER).limit(1).to_list()
        oldest = await self._parked.find(of_it, {"parked_at": 1}).sort("parked_at").limit(1).to_list()
        if not first or not oldest:
            return None
        return ParkedTarget(target, delivery_of(first[0]), await self.count(target), oldest[0]["parked_at"])

    async def list(self, target: str, after: PageMark | None, limit: int) -> list[ParkedDelivery]:
        where: dict[str, Any] = {"target": target} if target else {}
        if after is not None:
            where |= _beyond("parked_at", after, "$gt")
        oldest_first = [("parked_at", ASCENDING), ("_id", ASCENDING)]
        cursor = self._parked.find(where, _WITHOUT_CONTENT).sort(oldest_first).limit(limit)
        return [delivery_of(document) async for document in cursor]

    async def set_breaker(self, reason: str) -> None:
        opened = {"version": _new_version(), "reason": reason, "opened_at": self._clock.now()}
        await self._locks.update_one({"_id": BREAKER}, {"$set": opened}, upsert=True)

    async def breaker(self) -> OpenBreaker | None:
        return _open(await self._locks.find_one({"_id": BREAKER}))

    async def clear_breaker(self) -> None:
        await self._locks.delete_one({"_id": BREAKER})

    async def any_parked(self, reason: str, since: datetime) -> bool:
        where = {"parked_at": {"$gte": since}, "reason": reason}
        return await self._parked.find_one(where, {"_id": 1}) is not None

    async def counts(self) -> tuple[int, int]:
        targets = await self._locks.count_documents({"_id": {"$ne": BREAKER}})
        return await self._parked.count_documents({}), targets


def _open(lock: Mapping[str, Any] | None) -> OpenBreaker | None:
    return None if lock is None else OpenBreaker(lock["reason"], lock["opened_at"])


def _lock(*, failed: bool) -> dict[str, Any]:
    """The update of a lock when a delivery is parked: a lock taken only for waiting deliveries is a stray."""
    stray = {"$unset": {"stray": ""}} if failed else {"$setOnInsert": {"stray": True}}
    return {"$set": {"version": _new_version()}, **stray}


def _new_version() -> int:
    """A version never used before: a lock that was released and taken again must not pass for the old one."""
    return secrets.randbits(62)


def _beyond(field: str, mark: PageMark, beyond: str) -> dict[str, Any]:
    """A filter for what comes after (`$gt`) or before (`$lt`) a mark."""
    moment, id_ = mark
    return {"$or": [{field: {beyond: moment}}, {field: moment, "_id": {beyond: id_}}]}
