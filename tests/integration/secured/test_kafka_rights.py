"""The rights that follow from the topics table, tried on a real broker: each user does its part, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from confluent_kafka import KafkaError, Producer
from integration.secured.broker import SecuredBroker, secured_broker

from chassis.broker import TopicsRefused, make_topics
from chassis.broker.connections import Admin
from chassis.broker.topic_check import TopicMismatch, check_topics
from chassis.consuming.reader import Reader
from chassis.settings import KafkaSettings
from contracts.kafka_rights import operations_on, rights_of, rights_of_partner
from contracts.topics import EVENT_TOPICS, SERVICES, Profile, Topic, inbox

TRIED = (*EVENT_TOPICS, inbox("port"))
SECONDS = 20


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredBroker]:
    """With all topics, each with one record, and a user for every service, for a partner and for a stranger."""
    async with secured_broker(tmp_path_factory.mktemp("rights")) as running:
        operator = KafkaSettings(bootstrap_servers=running.operator)
        await make_topics(operator, TRIED, Profile.DEV)
        producer = AIOKafkaProducer(bootstrap_servers=running.operator, acks="all")
        async with producer:
            for topic in TRIED:
                await producer.send_and_wait(topic.name, b"first", partition=0)
        rights = {service: rights_of(service) for service in SERVICES}
        running.register(rights | {"port": rights_of_partner("port"), "stranger": ()})
        yield running


def may_write(settings: KafkaSettings, topics: Iterable[Topic]) -> set[str]:
    """The topics that take a record from this user."""
    producer, taken = Producer(_options(settings)), set()
    for topic in topics:
        answers: list[KafkaError | None] = []
        producer.produce(topic.name, b"more", on_delivery=_noting(answers))
        producer.flush(SECONDS)
        (answer,) = answers
        if answer is None:
            taken.add(topic.name)
        else:
            assert answer.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    return taken


def _noting(answers: list[KafkaError | None]) -> Callable[[KafkaError | None, Any], None]:
    return lambda error, _: answers.append(error)


async def may_read(settings: KafkaSettings, topics: Iterable[Topic]) -> set[str]:
    """The topics whose records this user gets, outside any group. Who may read may describe, so the rest is skipped."""
    admin = Admin(settings)
    try:
        described = await admin.ask(lambda client: client.describe_topics([topic.name for topic in topics]))
    finally:
        await admin.stop()
    shown = [each["topic"] for each in described if each["error_code"] != TopicAuthorizationFailedError.errno]
    return {topic for topic in shown if await _gets_a_record(settings, topic)}


async def _gets_a_record(settings: KafkaSettings, topic: str) -> bool:
    reader = Reader(**settings.client_options(), group_id=None, auto_offset_reset="earliest")
    await reader.start()
    try:
        reader.assign([TopicPartition(topic, 0)])
        return bool(await asyncio.wait_for(reader.getone(), SECONDS))
    except TopicAuthorizationFailedError:
        return False
    finally:
        await reader.stop()


def _options(settings: KafkaSettings) -> dict[str, str | int]:
    """For the reference client, which ends at a missing right where ours waits for it."""
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.username,
        "sasl.password": settings.password.get_secret_value(),
        "ssl.ca.location": str(settings.ca_file),
        "socket.timeout.ms": SECONDS * 1000,
    }


@pytest.mark.parametrize("user", [*SERVICES, "port", "stranger"])
async def test_a_user_writes_and_reads_what_the_table_says_and_nothing_else(broker: SecuredBroker, user: str) -> None:
    settings = broker.settings(user)
    written = await asyncio.to_thread(may_write, settings, TRIED)
    read = await may_read(settings, TRIED)
    assert written == {topic.name for topic in TRIED if user in topic.writers}
    owned = {topic.name for topic in EVENT_TOPICS if user == topic.owner}
    assert read == {topic.name for topic in TRIED if user in topic.readers} | owned


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_can_check_every_topic_that_it_uses(broker: SecuredBroker, service: str) -> None:
    used = [topic for topic in EVENT_TOPICS if operations_on(topic, service)]
    admin = Admin(broker.settings(service))
    try:
        await check_topics(admin, Profile.DEV, used)
        with pytest.raises(TopicMismatch, match="lacks the right Describe on the topic"):
            await check_topics(admin, Profile.DEV, [inbox("port") if service != "gateway" else EVENT_TOPICS[2]])
    finally:
        await admin.stop()


async def test_an_owner_creates_its_topic_and_nobody_else_does(broker: SecuredBroker) -> None:
    admin = Admin(KafkaSettings(bootstrap_servers=broker.operator))
    (own,) = [topic for topic in EVENT_TOPICS if topic.owner == "registry"]
    try:
        await admin.ask(lambda client: client.delete_topics([own.name]))
    finally:
        await admin.stop()
    with pytest.raises(TopicsRefused, match=f"^{own.name}: .* lacks the right Create on the topic"):
        await make_topics(broker.settings("tracking"), [own], Profile.DEV)
    await make_topics(broker.settings("registry"), [own], Profile.DEV)
    await make_topics(broker.settings("gateway"), [inbox("another")], Profile.DEV)


async def test_a_service_joins_its_own_group_and_no_other(broker: SecuredBroker) -> None:
    topic = next(topic for topic in EVENT_TOPICS if {"matching", "tracking"} <= set(topic.readers))
    assert await _joined(broker.settings("tracking"), "tracking", topic)
    with pytest.raises(GroupAuthorizationFailedError):
        await _joined(broker.settings("tracking"), "matching", topic)


async def _joined(settings: KafkaSettings, group: str, topic: Topic) -> bool:
    reader = Reader(topic.name, **settings.client_options(), group_id=group, auto_offset_reset="earliest")
    await reader.start()
    try:
        return bool(await asyncio.wait_for(reader.getone(), SECONDS))
    finally:
        with suppress(GroupAuthorizationFailedError):
            await reader.stop()
