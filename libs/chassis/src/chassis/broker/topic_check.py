"""Compares the broker's topics with the topics table: when a service starts, and while it runs.

A topic that is missing or has too few partitions stops a service at its start, not at midnight. If one disappears
later, the client library logs one line and waits. The group keeps its assignment: a static member that returns within
its session gets its old partitions, even if the topic was deleted and created again and nobody reads its partitions.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from chassis.broker.connections import Admin
from chassis.clock import Clock
from chassis.telemetry import metrics
from contracts.topics import PARTITIONS, REPLICATION, Profile, Topic

LOOK_SECONDS = 20.0

_MISSING = 3
NOT_ALLOWED = (29, 31)
"""TopicAuthorizationFailed, ClusterAuthorizationFailed."""
_UNKNOWN = {
    "Describe": "whether it exists",
    "DescribeConfigs": "how it is configured",
    "Create": "whether it can be created",
    "AlterConfigs": "whether it is configured as the topics table says",
}
"""What remains unknown without each right."""

log = structlog.get_logger(__name__)


class TopicMismatch(Exception):
    """The broker's topics differ from the topics table."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A topic as the broker describes it."""

    partitions: Sequence[Mapping[str, Any]]
    config: Mapping[str, str]


async def check_topics(admin: Admin, profile: Profile, topics: Sequence[Topic]) -> None:
    """Compare the topics that a service uses with the topics table.

    Raises:
        TopicMismatch: lists every difference and every topic that the broker does not show, one per line.
        KafkaError: the broker is unavailable, or cannot answer now.
    """
    shown = await admin.ask(lambda client: look(client, [topic.name for topic in topics]))
    if differences := [line for topic in topics for line in _differences(topic, profile, shown[topic.name])]:
        raise TopicMismatch("\n".join(differences))


def _differences(topic: Topic, profile: Profile, shown: Shown | str) -> list[str]:
    if isinstance(shown, str):
        return [shown]
    replicas = min(len(partition["replicas"]) for partition in shown.partitions)
    shape = [
        ("partitions", len(shown.partitions), PARTITIONS[profile]),
        ("replicas", replicas, REPLICATION[profile]),
    ]
    promised = [(name, shown.config.get(name), wanted) for name, wanted in topic.settings(profile).items()]
    return [
        f"{topic.name}: {what} is {found}, the topics table says {wanted}"
        for what, found, wanted in (*shape, *promised)
        if found != wanted
    ]


async def look(client: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, Shown | str]:
    """The broker's description of each topic, or one line that says why there is none and what to do.

    Raises:
        KafkaError: the broker is unavailable, or cannot answer now.
    """
    described = {each["topic"]: each for each in await client.describe_topics(list(names))}
    codes = {name: described[name]["error_code"] if name in described else _MISSING for name in names}
    shown: dict[str, Shown | str] = {name: line for name in names if (line := refusal(name, codes[name], "Describe"))}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names if name not in shown]
    answers = await client.describe_configs(asked) if asked else []
    for code, _, _, name, entries, *_ in (resource for answer in answers for resource in answer.resources):
        config = {entry[0]: entry[1] for entry in entries}
        shown[name] = refusal(name, code, "DescribeConfigs") or Shown(described[name]["partitions"], config)
    return shown


def refusal(topic: str, code: int, right: str) -> str:
    """Explain, in one line for the operator, why the broker refused a request that needs `right`; empty: it did not.

    Raises:
        KafkaError: the cause is neither a missing topic nor a missing right.
    """
    if code == 0:
        return ""
    if code == _MISSING:
        return f"{topic} is missing; create the topics first"
    if code in NOT_ALLOWED:
        return (
            f"{topic}: this Kafka user lacks the right {right} on the topic, so it is not known "
            f"{_UNKNOWN[right]}; allow it (an ACL {right} for the user), then start again"
        )
    raise for_code(code)(topic)


class Reading(Protocol):
    """The part of a consumer group that is needed here."""

    @property
    def topics(self) -> Sequence[str]: ...

    async def readers(self) -> Collection[TopicPartition] | None:
        """Every partition that a member has; None if that is unknown now."""
        ...


class TopicsCare:
    """Checks the topics periodically: logs what is wrong, and makes the group read them again.

    Args:
        check: raises TopicMismatch.
        start_anew: makes this process's consumer leave its group, wait until the group has removed it, and rejoin.
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
        """Check once.

        Raises:
            KafkaError: the broker is unavailable.
        """
        differences = await self._differences()
        unread = set() if differences else await self._without_reader()
        told = differences or [f"{each.topic}/{each.partition} is read by nobody" for each in sorted(unread)]
        if told:
            log.error("topics_wrong", differences=told)
        metrics.TOPICS_WRONG.set(len(told))
        # A brief gap closes by itself, and a restart costs one session time in which nothing is read.
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
