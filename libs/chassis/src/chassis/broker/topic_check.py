"""The broker's topics, beside what the topics table says of them: at the start of a service, and while it runs.

A topic that is missing or narrower than installed stops a service at its start, not at midnight. Of one that goes
later the client library says one line and waits. And a group remembers: a static member that comes back within
its session is given what it had, also where its topic was deleted and made again meanwhile and nobody has it.
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
    "Describe": "whether it is there",
    "DescribeConfigs": "how it is set",
    "Create": "whether it can be there",
    "AlterConfigs": "whether it is set as the topics table says",
}
"""What stays open without a right."""

log = structlog.get_logger(__name__)


class TopicMismatch(Exception):
    """The broker's topics are not what the topics table says."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A topic as the broker shows it."""

    partitions: Sequence[Mapping[str, Any]]
    config: Mapping[str, str]


async def check_topics(admin: Admin, profile: Profile, topics: Sequence[Topic]) -> None:
    """Compare the topics that a service relies on with the topics table.

    Raises:
        TopicMismatch: with every difference, and every topic that the broker does not show, one a line.
        KafkaError: the broker is away, or cannot say now.
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
    """What the broker shows of each topic, or one line that says why it shows nothing, and what to do.

    Raises:
        KafkaError: the broker is away, or cannot say now.
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
    """Why the broker does not do with a topic what takes a right, in one line for its operator; empty: it does.

    Raises:
        KafkaError: neither the topic nor the right is missing.
    """
    if code == 0:
        return ""
    if code == _MISSING:
        return f"{topic} is missing; create the topics first"
    if code in NOT_ALLOWED:
        return (
            f"{topic}: this user of Kafka's lacks the right {right} on the topic, so it is not known "
            f"{_UNKNOWN[right]}; allow it (an ACL {right} for the user), then start again"
        )
    raise for_code(code)(topic)


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
