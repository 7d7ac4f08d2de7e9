"""Breaks of what comes in: offsets, parking, the door."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from chaos.simulation.plants.pieces import Pieces
from chaos.toy.doors import Door

from chassis.consuming.commits import Commits
from chassis.consuming.consumer import Consumer
from chassis.delivery.policy import DeliveryPolicy
from chassis.delivery.records import next_of_each
from chassis.delivery.redrive import Redrive
from chassis.mongo import insert_missing
from chassis.parking.documents import document_of
from chassis.parking.model import BREAKER
from chassis.parking.mongo import MongoParking


def offset_before_save() -> Pieces:
    process = Consumer._on_batch

    async def commits_first(self: Consumer, records: list[Any]) -> None:
        if self._consumer is not None:
            try:
                await self._consumer.commit(
                    {TopicPartition(*partition): offset for partition, offset in next_of_each(records).items()}
                )
            except (KafkaError, CommitFailedError, IllegalStateError):
                return
        await process(self, records)

    return [(Consumer, "_on_batch", commits_first)]


def commits_side_by_side() -> Pieces:
    commit = Commits.commit

    async def without_waiting(self: Commits, consumer: Any) -> None:
        self._committing = asyncio.Lock()
        await commit(self, consumer)

    return [(Commits, "commit", without_waiting)]


def rest_never_ends() -> Pieces:
    return [(Consumer, "_resume", lambda self, consumer: None)]


def redrive_out_of_order() -> Pieces:
    waiting = MongoParking.waiting

    async def newest_first(self: MongoParking, target: str, limit: int) -> Any:
        return (await waiting(self, target, 1000))[::-1][:limit]

    return [(MongoParking, "waiting", newest_first)]


def overtakes_parked() -> Pieces:
    async def nothing(self: MongoParking, targets: Any) -> set[str]:
        return set()

    return [(MongoParking, "locked", nothing), (MongoParking, "all_locked", _too_many)]


def blocks_neighbours() -> Pieces:
    locked = MongoParking.locked

    async def all_or_none(self: MongoParking, targets: Any) -> set[str]:
        asked = set(targets) - {BREAKER}
        return asked if await locked(self, ["c9"]) and not any("|" in each for each in asked) else set()

    return [(MongoParking, "locked", all_or_none), (MongoParking, "all_locked", _too_many)]


async def _too_many(self: MongoParking, limit: int) -> None: ...


def park_without_lock() -> Pieces:
    async def keeps_only(self: MongoParking, deliveries: Sequence[Any]) -> None:
        await insert_missing(self._parked, [document_of(each, self._clock.now()) for each in deliveries])

    return [(MongoParking, "park", keeps_only)]


def release_without_compare() -> Pieces:
    async def whatever(self: MongoParking, target: str, version: int) -> bool:
        return (await self._locks.delete_one({"_id": target})).deleted_count == 1

    redrive = Redrive.redrive

    async def released_first(self: Redrive, target: str, **told: Any) -> Any:
        await self._parking.release(target, 0)
        return await redrive(self, target, **told)

    # The moment that the compare is for is short, and what is left waiting goes by itself: here it is long.
    return [(MongoParking, "release", whatever), (Redrive, "redrive", released_first)]


def poison_dropped() -> Pieces:
    park = DeliveryPolicy._park

    async def drops(self: DeliveryPolicy, deliveries: Sequence[Any]) -> None:
        await park(self, [each for each in deliveries if each.reason != "undecodable"])

    return [(DeliveryPolicy, "_park", drops)]


def door_without_identity() -> Pieces:
    place, numbers = Door.place, count(1)

    async def anew(self: Door, request: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        return await place(self, {**request, "command_id": f"{request['command_id']}~{next(numbers)}"}, context)

    return [(Door, "place", anew)]
