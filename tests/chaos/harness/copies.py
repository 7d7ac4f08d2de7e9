"""Copies of databases and topics: restored after a loss, or compared with what it left."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient

from chassis.delivery.records import RawRecord
from chassis.recovery.rereading import read_topics
from chassis.settings import KafkaSettings
from contracts.topics import Topic
from launcher.topics import make_topics_anew

Copy = Mapping[str, Sequence[Mapping[str, Any]]]
"""Collection → documents."""


async def copy_database(url: str, name: str) -> Copy:
    """Every document, one collection after the other, like a dump of a running database."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, tz_aware=True)
    async with client:
        database = client[name]
        return {each: await database[each].find().to_list() for each in await database.list_collection_names()}


async def drop_database(url: str, name: str) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
    async with client:
        await client.drop_database(name)


async def put_back(url: str, name: str, copy: Copy) -> None:
    """Restore the database to the copy; later data is lost."""
    await drop_database(url, name)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, tz_aware=True)
    async with client:
        for collection, documents in copy.items():
            if documents:
                await client[name][collection].insert_many([dict(each) for each in documents])


async def read_raw(bootstrap_servers: str, topic: str) -> list[RawRecord]:
    """Every record of a topic, by partition and offset."""
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers)
    found = [record async for records in read_topics(settings, [topic]) for record in records]
    return sorted(found, key=lambda record: (record.partition, record.offset))


async def lose_tail(bootstrap_servers: str, topic: Topic, keep: float) -> Sequence[RawRecord]:
    """Recreate a topic with only the first part of each partition; return the lost records."""
    whole: dict[int, list[RawRecord]] = {}
    for record in await read_raw(bootstrap_servers, topic.name):
        whole.setdefault(record.partition, []).append(record)
    kept = {partition: records[: int(len(records) * keep)] for partition, records in whole.items()}
    await make_topics_anew(bootstrap_servers, [topic])
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all")
    await producer.start()
    try:
        for partition, records in kept.items():
            for each in records:
                await producer.send_and_wait(
                    topic.name, each.value, key=each.key, partition=partition, headers=list(each.headers)
                )
    finally:
        await producer.stop()
    return [record for partition, records in whole.items() for record in records[len(kept[partition]) :]]
