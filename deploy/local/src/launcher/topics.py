"""Creates topics, or makes them anew, on the launcher's own broker or a given one."""

import asyncio
import time
from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient

from chassis.broker import BrokerRefusesUs, TopicsRefused, make_topics
from chassis.settings import KafkaSettings
from contracts.topics import Profile, Topic
from launcher.failures import LauncherError

GONE_SECONDS = 30.0
"""How long a topic that is deleted may still be shown."""


async def create_topics(
    bootstrap_servers: str,
    topics: Sequence[Topic],
    profile: Profile = Profile.DEV,
    *,
    known_as: KafkaSettings | None = None,
) -> None:
    """Create missing topics; returns when every partition has a leader and every topic its settings.

    Args:
        known_as: credentials for the broker; none: it takes anybody's word.

    Raises:
        LauncherError: the broker refused a topic, a partition found no leader, or settings are not shown.
    """
    try:
        settings = (known_as or KafkaSettings()).model_copy(update={"bootstrap_servers": bootstrap_servers})
        await make_topics(settings, topics, profile)
    except (TopicsRefused, BrokerRefusesUs) as error:
        raise LauncherError(str(error)) from error


async def make_topics_anew(bootstrap_servers: str, topics: Sequence[Topic], profile: Profile = Profile.DEV) -> None:
    """Delete topics with all that they hold and what groups have committed on them, and create them empty.

    Raises:
        LauncherError: the broker did not let one go, or refused to create one.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        present = {topic.name for topic in topics} & set(await admin.list_topics())
        if present:
            await admin.delete_topics(sorted(present))
        deadline = time.monotonic() + GONE_SECONDS
        while left := present & set(await admin.list_topics()):
            if time.monotonic() > deadline:
                raise LauncherError(f"Kafka did not let {', '.join(sorted(left))} go within {GONE_SECONDS:.0f} s.")
            await asyncio.sleep(0.1)
    finally:
        await admin.close()
    await create_topics(bootstrap_servers, topics, profile)
