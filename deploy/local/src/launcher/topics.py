"""Creates topics as the topics table says, and gives existing ones its settings; their width stays."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from chassis.broker import NOT_ALLOWED, refusal
from contracts.topics import PARTITIONS, REPLICATION, Profile, Topic
from launcher.failures import LauncherError

SHOWN_SECONDS = 30.0


async def create_topics(bootstrap_servers: str, topics: Sequence[Topic], profile: Profile = Profile.DEV) -> None:
    """Create what is missing; returns when every partition has a leader and every topic its settings.

    Raises:
        LauncherError: the broker refused a topic, a partition found no leader, or settings are not shown.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        answer = await admin.create_topics([_new_topic(topic, profile) for topic in topics])
        _refuse(answer.topic_errors, "Create", TopicAlreadyExistsError)
        there = {name for name, code, *_ in answer.topic_errors if code != 0}
        await _set(admin, [topic for topic in topics if topic.name in there], profile)
        await _until(lambda: _led(admin, [topic.name for topic in topics]), "found no leader")
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
        _refuse([(name, code) for code, _, _, name in answer.resources], "AlterConfigs")
    await _until(lambda: _as_set(admin, topics, profile), "did not get their settings")


def _refuse(answers: Iterable[Sequence[Any]], right: str, *but: type[Exception]) -> None:
    """Raise for the first topic (name, code, …) that the broker did not take; `right` is what that takes."""
    for name, code, *_ in answers:
        if for_code(code) in but:
            continue
        try:
            line = refusal(name, code, right)
        except KafkaError as error:
            raise LauncherError(f"Kafka refused the topic {name}: {type(error).__name__}.") from error
        if line:
            raise LauncherError(line)


async def _until(ready: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    """Wait for what the broker has taken: it shows it a moment later."""
    deadline = time.monotonic() + SHOWN_SECONDS
    while not await ready():
        if time.monotonic() > deadline:
            raise LauncherError(f"Kafka's topics {otherwise} within {SHOWN_SECONDS:.0f} s.")
        await asyncio.sleep(0.1)


async def _led(admin: AIOKafkaAdminClient, names: list[str]) -> bool:
    described = await admin.describe_topics(names)
    _allowed((topic["topic"], topic["error_code"], "Describe") for topic in described)
    return all(
        topic["error_code"] == 0 and all(partition["leader"] >= 0 for partition in topic["partitions"])
        for topic in described
    )


async def _as_set(admin: AIOKafkaAdminClient, topics: Sequence[Topic], profile: Profile) -> bool:
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    resources = [resource for answer in await admin.describe_configs(asked) for resource in answer.resources]
    _allowed((name, code, "DescribeConfigs") for code, _, _, name, *_ in resources)
    shown = {resource[3]: {entry[0]: entry[1] for entry in resource[4]} for resource in resources}
    return all(topic.settings(profile).items() <= shown[topic.name].items() for topic in topics)


def _allowed(answers: Iterable[tuple[str, int, str]]) -> None:
    """Raise where a right is missing: it comes by no waiting."""
    for name, code, right in answers:
        if code in NOT_ALLOWED:
            raise LauncherError(refusal(name, code, right))
