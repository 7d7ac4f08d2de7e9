"""Creates topics as the topics table says; existing ones are left alone."""

import asyncio
import time
from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from contracts.topics import MIN_INSYNC, PARTITIONS, REPLICATION, Profile, Topic
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
        for name, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code != 0 and error is not TopicAlreadyExistsError:
                raise LauncherError(f"Kafka refused the topic {name}: {error.__name__}.")
        await _until_led(admin, [topic.name for topic in topics])
    finally:
        await admin.close()


def _new_topic(topic: Topic, profile: Profile) -> NewTopic:
    config = {
        "retention.ms": str(topic.retention_ms),
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "min.insync.replicas": str(MIN_INSYNC[profile]),
    }
    return NewTopic(topic.name, PARTITIONS[profile], REPLICATION[profile], topic_configs=config)


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
