"""A service looks at the broker before it works: topics that are not what the table says stop it."""

import uuid
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis.broker.connections import Admin
from chassis.broker.topic_check import Shown, TopicMismatch, check_topics, look
from chassis.consuming.reader import Reader
from chassis.settings import KafkaSettings
from chassis.testing import eventually
from contracts.topics import EVENT_TOPICS, Profile, Topic, inbox
from launcher.infrastructure import Infrastructure

LONG_AGO_MS = 1_000_000_000_000
"""In 2001."""


def a_partner() -> str:
    return f"p-{uuid.uuid4().hex}"


async def checked(infrastructure: Infrastructure, *topics: Topic) -> None:
    admin = Admin(KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers))
    try:
        await check_topics(admin, Profile.DEV, topics)
    finally:
        await admin.stop()


async def test_topics_of_the_table_pass(infrastructure: Infrastructure, event_topics: None) -> None:
    topic = inbox(a_partner())
    await infrastructure.create_topics([topic])
    await checked(infrastructure, *EVENT_TOPICS, topic)


async def test_an_inbox_whose_writers_say_the_time_is_refused_and_mended_by_the_launcher(
    infrastructure: Infrastructure,
) -> None:
    topic = inbox(a_partner())
    await infrastructure.create_topics([replace(topic, broker_time=False)])
    with pytest.raises(TopicMismatch, match=r"message\.timestamp\.type is CreateTime.*says LogAppendTime"):
        await checked(infrastructure, topic)
    await infrastructure.create_topics([topic])
    await checked(infrastructure, topic)


async def test_a_topic_that_forgets_too_soon_and_one_that_is_missing_are_named(infrastructure: Infrastructure) -> None:
    topic, missing = inbox(a_partner()), inbox(a_partner())
    await infrastructure.create_topics([replace(topic, retention_ms=60_000)])
    with pytest.raises(TopicMismatch) as refused:
        await checked(infrastructure, topic, missing)
    assert "retention.ms is 60000" in str(refused.value)
    assert f"{missing.name} is missing" in str(refused.value)


async def test_what_an_operator_has_set_beside_the_table_stays(infrastructure: Infrastructure) -> None:
    topic = inbox(a_partner())
    admin = Admin(KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers))
    await infrastructure.create_topics([topic])
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs={"segment.bytes": "33554432"})
    try:
        # The whole of the topic's own settings: those of the table fall back to the broker's.
        await admin.ask(lambda client: client.alter_configs([resource]))

        async def taken() -> bool:
            shown = (await admin.ask(lambda client: look(client, [topic.name])))[topic.name]
            return isinstance(shown, Shown) and shown.config["segment.bytes"] == "33554432"

        await eventually(taken)
        with pytest.raises(TopicMismatch, match=r"retention\.ms"):
            await checked(infrastructure, topic)
        await infrastructure.create_topics([topic])
        await checked(infrastructure, topic)
        assert await taken()
    finally:
        await admin.stop()


async def test_a_partner_cannot_say_that_it_wrote_earlier(infrastructure: Infrastructure) -> None:
    topic = inbox(a_partner())
    await infrastructure.create_topics([topic])
    producer = AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers)
    consumer = Reader(topic.name, bootstrap_servers=infrastructure.bootstrap_servers, auto_offset_reset="earliest")
    await producer.start()
    await consumer.start()
    try:
        await producer.send_and_wait(topic.name, b"late", timestamp_ms=LONG_AGO_MS)
        record = await consumer.getone()
    finally:
        await producer.stop()
        await consumer.stop()
    assert record.timestamp > LONG_AGO_MS * 1.5
