"""The table of Kafka topics: owner, writers, readers, key, partitions and retention of each.

Services check at start that the broker matches this table. Partition counts never change after installation: to get
more partitions, create a new topic and drain the old one.
"""

from dataclasses import dataclass
from enum import StrEnum


class Profile(StrEnum):
    """The size chosen at installation."""

    DEV = "dev"
    CITY = "city"
    ALL_MEMBERS = "all-members"


PARTITIONS = {Profile.DEV: 6, Profile.CITY: 24, Profile.ALL_MEMBERS: 96}
REPLICATION = {Profile.DEV: 1, Profile.CITY: 3, Profile.ALL_MEMBERS: 3}
MIN_INSYNC = {Profile.DEV: 1, Profile.CITY: 2, Profile.ALL_MEMBERS: 2}

MAX_MESSAGE_BYTES = 1_048_576
"""Largest record that the broker accepts, compressed or not."""

MAX_EVENT_BYTES = 900_000
"""Largest value of our events: below the largest record, to leave room for headers."""

FOREVER = -1
PARTNER_INBOX_RETENTION_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    owner: str
    """The service that owns it."""
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    key: str
    """What the Kafka key is, in words."""
    retention_ms: int = FOREVER
    compacted: bool = False
    broker_time: bool = False
    """Record times are set by the broker on receipt, not by the writer."""

    def settings(self, profile: Profile) -> dict[str, str]:
        """The topic's settings on the broker, by Kafka's names."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "message.timestamp.type": "LogAppendTime" if self.broker_time else "CreateTime",
            "min.insync.replicas": str(MIN_INSYNC[profile]),
            "retention.ms": str(self.retention_ms),
        }


PARTNERS = Topic(
    "partners.events.v1", "gateway", ("gateway",), ("declarations", "tracking"), "UCR, else the reference given"
)
GATEWAY = Topic(
    "gateway.events.v1", "gateway", ("gateway",), ("declarations", "matching", "tracking"), "UCR, else the receipt id"
)
REGISTRY = Topic(
    "registry.events.v1",
    "registry",
    ("registry",),
    ("matching", "tracking"),
    "enterprise id",
)
DECLARATIONS = Topic(
    "declarations.events.v1",
    "declarations",
    ("declarations",),
    ("declarations", "notifications", "tracking", "gateway"),
    "UCR",
)
MATCHING = Topic(
    "matching.events.v1", "matching", ("matching",), ("matching", "notifications", "tracking"), "listing or match id"
)
NOTIFICATIONS = Topic(
    "notifications.events.v1", "notifications", ("notifications",), ("tracking",), "UCR, else the notice id"
)

EVENT_TOPICS = (PARTNERS, GATEWAY, REGISTRY, DECLARATIONS, MATCHING, NOTIFICATIONS)
"""Retained for ever: read models and lost databases are rebuilt from them."""

_NAMED = [topic.owner for topic in EVENT_TOPICS] + [name for topic in EVENT_TOPICS for name in topic.readers]
SERVICES = tuple(dict.fromkeys(_NAMED))
"""Every service: owners of topics first, then those that only read."""


def inbox(partner: str) -> Topic:
    """The topic that one partner writes to with its own credentials; only the gateway reads it.

    The broker's time counts as the time of receipt, not the partner's.
    """
    return Topic(
        f"inbox.{partner}",
        partner,
        (partner,),
        ("gateway",),
        "anything",
        PARTNER_INBOX_RETENTION_MS,
        broker_time=True,
    )
