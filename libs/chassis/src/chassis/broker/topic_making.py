"""Creates topics from the topics table, and applies its settings to existing ones.

Keeps: an existing topic keeps its partition count, and all settings of its operator that the table does not name.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from chassis.broker.refusals import reaching
from chassis.broker.topic_check import NOT_ALLOWED, refusal
from chassis.settings import KafkaSettings
from contracts.topics import PARTITIONS, REPLICATION, Profile, Topic

Entry = Sequence[Any]
"""A setting as the broker describes it: name, value, whether it is read-only, its source, …"""
SHOWN_SECONDS = 30.0
_SET_ON_THE_TOPIC = 1
"""The source code in DescribeConfigs for a setting of the topic itself."""


class TopicsRefused(Exception):
    """The broker refuses to create or configure the topics; the text is one line for the operator."""


async def make_topics(settings: KafkaSettings, topics: Sequence[Topic], profile: Profile) -> None:
    """Create missing topics; returns when every partition has a leader and every topic its settings.

    Raises:
        TopicsRefused: the broker refused a topic, a partition got no leader, or a topic did not get its settings.
        KafkaError: the broker is unavailable.
    """
    if not topics:
        return
    admin = AIOKafkaAdminClient(**settings.client_options(), request_timeout_ms=10_000)
    try:
        async with reaching(settings):
            await admin.start()
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
    """Apply the table's settings."""
    shown = await _settings(admin, topics)
    if not (other := _unlike(shown, topics, profile)):
        return
    wanted = [
        ConfigResource(
            ConfigResourceType.TOPIC, topic.name, configs=_given(shown[topic.name]) | topic.settings(profile)
        )
        for topic in other
    ]
    # It takes the whole of a topic's own settings: one that is not among them falls back to the broker's.
    for answer in await admin.alter_configs(wanted):
        _refuse([(name, code) for code, _, _, name in answer.resources], "AlterConfigs")
    await _until(lambda: _as_set(admin, other, profile), "did not get their settings")


def _refuse(answers: Iterable[Sequence[Any]], right: str, *but: type[Exception]) -> None:
    """Raise for the first topic (name, code, …) that the broker did not take; `right` is what that takes."""
    for name, code, *_ in answers:
        if for_code(code) in but:
            continue
        try:
            line = refusal(name, code, right)
        except KafkaError as error:
            raise TopicsRefused(f"Kafka refused the topic {name}: {type(error).__name__}.") from error
        if line:
            raise TopicsRefused(line)


async def _until(ready: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    """Wait for what the broker has taken: it shows it a moment later."""
    deadline = time.monotonic() + SHOWN_SECONDS
    while not await ready():
        if time.monotonic() > deadline:
            raise TopicsRefused(f"Kafka's topics {otherwise} within {SHOWN_SECONDS:.0f} s.")
        await asyncio.sleep(0.1)


async def _led(admin: AIOKafkaAdminClient, names: list[str]) -> bool:
    described = await admin.describe_topics(names)
    _allowed((topic["topic"], topic["error_code"], "Describe") for topic in described)
    return all(
        topic["error_code"] == 0 and all(partition["leader"] >= 0 for partition in topic["partitions"])
        for topic in described
    )


async def _as_set(admin: AIOKafkaAdminClient, topics: Sequence[Topic], profile: Profile) -> bool:
    return not _unlike(await _settings(admin, topics), topics, profile)


def _unlike(shown: Mapping[str, Sequence[Entry]], topics: Sequence[Topic], profile: Profile) -> list[Topic]:
    """The topics that do not have the table's settings."""
    return [topic for topic in topics if not topic.settings(profile).items() <= _values(shown[topic.name]).items()]


async def _settings(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> dict[str, Sequence[Entry]]:
    """What the broker shows of each topic's settings."""
    if not topics:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    resources = [resource for answer in await admin.describe_configs(asked) for resource in answer.resources]
    _allowed((name, code, "DescribeConfigs") for code, _, _, name, *_ in resources)
    return {resource[3]: resource[4] for resource in resources}


def _values(entries: Sequence[Entry]) -> dict[str, str]:
    return {entry[0]: entry[1] for entry in entries}


def _given(entries: Sequence[Entry]) -> dict[str, str]:
    """What was set on the topic itself, by this table or by its operator."""
    return {name: value for name, value, _, source, *_ in entries if source == _SET_ON_THE_TOPIC}


def _allowed(answers: Iterable[tuple[str, int, str]]) -> None:
    """Raise where a right is missing: it comes by no waiting."""
    for name, code, right in answers:
        if code in NOT_ALLOWED:
            raise TopicsRefused(refusal(name, code, right))
