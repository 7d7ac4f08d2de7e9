"""Creates topics on a broker that takes anybody's word: the launcher's own, or one given for development."""

from collections.abc import Sequence

from chassis.broker import TopicsRefused, make_topics
from chassis.settings import KafkaSettings
from contracts.topics import Profile, Topic
from launcher.failures import LauncherError


async def create_topics(bootstrap_servers: str, topics: Sequence[Topic], profile: Profile = Profile.DEV) -> None:
    """Create missing topics; returns when every partition has a leader and every topic its settings.

    Raises:
        LauncherError: the broker refused a topic, a partition found no leader, or settings are not shown.
    """
    try:
        await make_topics(KafkaSettings(bootstrap_servers=bootstrap_servers), topics, profile)
    except TopicsRefused as error:
        raise LauncherError(str(error)) from error
