"""The broker's topics, beside what the topics table says of them: at the start of a service, and while it runs.

A topic that is missing or narrower than installed stops a service at its start, not at midnight. Of one that goes
later the client library says one line and waits. And a group remembers: a static member that comes back within
its session is given what it had, also where its topic was deleted and made again meanwhile and nobody has it.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis import metrics
from chassis.clock import Clock
from chassis.kafka import Admin
from contracts.topics import PARTITIONS, REPLICATION, Profile, Topic

LOOK_SECONDS = 20.0

_MISSING = 3

log = structlog.get_logger(__name__)


class TopicMismatch(Exception):
    """The broker's topics are not what the topics table says."""


async def check_topics(admin: Admin, profile: Profile, topics: Sequence[Topic]) -> None:
    """Compare the topics that a service relies on with the topics table.

    Raises:
        TopicMismatch: with every difference, one a line.
        KafkaError: the broker is away.
    """
    described, configs = await admin.ask(lambda client: _described(client, [topic.name for topic in topics]))
    differences = [f"{topic.name} is missing; create the topics first" for topic in topics if topic.name not in configs]
    for topic in topics:
        if topic.name not in configs:
            continue
        partitions, config = described[topic.name]["partitions"], configs[topic.name]
        replicas = min(len(partition["replicas"]) for partition in partitions)
        shape = [("partitions", len(partitions), PARTITIONS[profile]), ("replicas", replicas, REPLICATION[profile])]
        promised = [(name, config[name], wanted) for name, wanted in topic.settings(profile).items()]
        differences += [
            f"{topic.name}: {what} is {found}, the topics table says {wanted}"
            for what, found, wanted in (*shape, *promised)
            if found != wanted
        ]
    if differences:
        raise TopicMismatch("\n".join(differences))


async def _described(client: AIOKafkaAdminClient, names: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Partitions and configuration of topics, by name; of those that are there."""
    described = {each["topic"]: each for each in await client.describe_topics(names)}
    present = [name for name in names if described.get(name, {}).get("error_code", _MISSING) == 0]
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in present]
    answers = await client.describe_configs(resources) if resources else []
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    return described, configs


class Reading(Protocol):
    """A consumer group, as far as it is asked here."""

    @property
    def topics(self) -> Sequence[str]: ...

    async def readers(self) -> Collection[TopicPartition] | None:
        """Every partition that a member has; None where nobody can say now."""
        ...


class TopicsCare:
    """Looks at the topics now and then: says what is wrong with them, and sees that the group reads them again.

    Args:
        check: raises TopicMismatch.
        start_anew: has this process's consumer leave its group until that has forgotten it, and join it again.
    """

    def __init__(
        self,
        check: Callable[[], Awaitable[None]],
        group: Reading,
        profile: Profile,
        *,
        start_anew: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._check = check
        self._group = group
        self._wanted = {
            TopicPartition(topic, number) for topic in group.topics for number in range(PARTITIONS[profile])
        }
        self._start_anew = start_anew
        self._clock = clock
        self._differed = False
        self._unread: set[TopicPartition] = set()

    async def run(self) -> None:
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Look once.

        Raises:
            KafkaError: the broker is away.
        """
        differences = await self._differences()
        unread = set() if differences else await self._without_reader()
        told = differences or [f"{each.topic}/{each.partition} is read by nobody" for each in sorted(unread)]
        if told:
            log.error("topics_wrong", differences=told)
        metrics.TOPICS_WRONG.set(len(told))
        # A hole of a moment closes by itself; to start anew costs a session in which nothing is read.
        if (self._differed and not differences) or unread & self._unread:
            self._start_anew()
        self._differed, self._unread = bool(differences), unread

    async def _differences(self) -> list[str]:
        try:
            await self._check()
        except TopicMismatch as error:
            return str(error).splitlines()
        return []

    async def _without_reader(self) -> set[TopicPartition]:
        if not self._wanted or (readers := await self._group.readers()) is None:
            return set()
        return self._wanted - set(readers)
