"""The rights of every Kafka user, derived from the topics table; the broker's authorizer denies the rest.

A service writes where the table says so, reads what it reads and what it owns (a lost database is rebuilt from its own
topic), and creates what it owns. Its consumer group has its name. A partner writes to its own inbox.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from contracts.topics import EVENT_TOPICS, Topic, inbox

_SEE = ("Describe", "DescribeConfigs")
_INBOXES = inbox("").name
"""The beginning of the name of every partner's inbox topic."""


@dataclass(frozen=True, slots=True)
class Right:
    """What one user may do with one resource, or with all whose names begin alike."""

    kind: Literal["topic", "group"]
    name: str
    operations: tuple[str, ...]
    """By Kafka's names, sorted."""
    prefixed: bool = False
    """Whether `name` is the beginning of the names meant."""


def rights_of(service: str) -> tuple[Right, ...]:
    """All rights of a service's user."""
    return tuple(_rights(service))


def rights_of_partner(code: str) -> tuple[Right, ...]:
    """All rights of a partner's user."""
    return (Right("topic", inbox(code).name, ("Describe", "Write")),)


def operations_on(topic: Topic, service: str) -> tuple[str, ...]:
    """What a service does with a topic; empty: nothing."""
    owns = service == topic.owner
    found = {
        "Write": service in topic.writers,
        "Read": owns or service in topic.readers,
        "Create": owns,
    }
    used = [operation for operation, does in found.items() if does]
    return tuple(sorted([*_SEE, *used])) if used else ()


def _rights(service: str) -> Iterator[Right]:
    for topic in EVENT_TOPICS:
        if operations := operations_on(topic, service):
            yield Right("topic", topic.name, operations)
    reads_inboxes = service in inbox("").readers
    if reads_inboxes:
        # It creates the inboxes, as no service of ours writes to them.
        yield Right("topic", _INBOXES, tuple(sorted((*_SEE, "Create", "Read"))), prefixed=True)
    if reads_inboxes or any(service in topic.readers for topic in EVENT_TOPICS):
        yield Right("group", service, ("Describe", "Read"))
