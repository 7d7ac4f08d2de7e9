"""The servers under every integration test keep what they acknowledged, and come back where they were."""

import uuid

from aiokafka import AIOKafkaProducer, TopicPartition
from pymongo import AsyncMongoClient

from chassis.consuming.reader import Reader
from contracts.topics import PARTITIONS, Profile, Topic
from launcher.infrastructure import Infrastructure


def a_topic() -> Topic:
    return Topic(f"infrastructure.{uuid.uuid4().hex}.v1", "tests", ("tests",), ("tests",), "anything")


async def test_topics_are_as_wide_as_the_table_says(infrastructure: Infrastructure) -> None:
    topic = a_topic()
    await infrastructure.create_topics([topic])
    await infrastructure.create_topics([topic])
    consumer = Reader(topic.name, bootstrap_servers=infrastructure.bootstrap_servers)
    await consumer.start()
    try:
        assert len(consumer.partitions_for_topic(topic.name) or ()) == PARTITIONS[Profile.DEV]
    finally:
        await consumer.stop()


async def test_acknowledged_records_survive_a_killed_broker(infrastructure: Infrastructure) -> None:
    topic = a_topic()
    await infrastructure.create_topics([topic])
    producer = AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers, acks="all")
    await producer.start()
    for number in range(50):
        await producer.send_and_wait(topic.name, b"%d" % number, partition=0)
    await infrastructure.kill_kafka()
    await infrastructure.start_kafka()
    await producer.stop()
    consumer = Reader(bootstrap_servers=infrastructure.bootstrap_servers)
    await consumer.start()
    try:
        assert (await consumer.end_offsets([TopicPartition(topic.name, 0)])) == {TopicPartition(topic.name, 0): 50}
    finally:
        await consumer.stop()


async def test_acknowledged_writes_survive_a_killed_database(infrastructure: Infrastructure) -> None:
    async with AsyncMongoClient[dict[str, int]](infrastructure.mongo_url) as client:
        lines = client[f"test_{uuid.uuid4().hex}"]["lines"]
        for number in range(50):
            await lines.insert_one({"_id": number})
        await infrastructure.kill_database()
        await infrastructure.start_database()
        assert await lines.count_documents({}) == 50
