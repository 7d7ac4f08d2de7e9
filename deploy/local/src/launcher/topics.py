"""Creates topics as the topics table says, and gives existing ones its settings; their width stays."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from contracts.topics import PARTITIONS, REPLICATION, Profile, Topic
from launcher.failures import LauncherError

LEADER_SECONDS = 30.0


async def create_topics(bootstrap_servers: str, topics: Sequence[Topic], profile: Profile = Profile.DEV) -> None:
    """Create what is missing; returns when every partition has a leader.

    Raises:
        LauncherError: the broker refused a topic, or a partition found no leader.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        answer = await admin.create_topics([_new_topic(topic, profile) for topic in topics])
        _refuse(answer.topic_errors, TopicAlreadyExistsError)
        there = {name for name, code, *_ in answer.topic_errors if code != 0}
        await _set(admin, [topic for topic in topics if topic.name in there], profile)
        await _until_led(admin, [topic.name for topic in topics])
    finally:
        await admin.close()


def _new_topic(topic: Topic, profile: Profile) -> NewTopic:
    return NewTopic(topic.name, PARTITIONS[profile], REPLICATION[profile], topic_configs=topic.settings(profile))


async def _set(admin: AIOKafkaAdminClient, topics: Sequence[Topic], profile: Profile) -> None:
    """Give topics the table's settings."""
    if not topics:
        return
    wanted = [ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=topic.settings(profile)) for topic in topics]
    for answer in await admin.alter_configs(wanted):
        _refuse([(name, code) for code, _, _, name in answer.resources])


def _refuse(answers: Iterable[Sequence[Any]], *but: type[Exception]) -> None:
    """Raise for the first topic (name, code, …) that the broker did not take."""
    for name, code, *_ in answers:
        error = for_code(code)
        if code != 0 and error not in but:
            raise LauncherError(f"Kafka refused the topic {name}: {error.__name__}.")


async def _until_led(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    deadline = time.monotonic() + LEADER_SECONDS
    while True:
        described = await admin.describe_topics(names)
        if all(
            topic["error_code"] == 0 and all(partition["leader"] >= 0 for partition in topic["partitions"])
            for topic in described
        ):
            return
        if time.monotonic() > deadline:
            raise LauncherError(f"Kafka's topics found no leader within {LEADER_SECONDS:.0f} s.")
        await asyncio.sleep(0.1)
