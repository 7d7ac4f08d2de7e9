"""Small worlds made by hand, in which tests of the checker plant faults."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import TopicPartition
from chaos.judging.invariants.offsets import offsets
from chaos.judging.world import Stored, World, said_of
from services.notifications.tests.notification_builders import an_event

from chassis.delivery.records import RawRecord
from contracts.envelope import Envelope
from contracts.topics import EVENT_TOPICS

GUARD = dict.fromkeys(("accepted", "control_done", "no_holds", "money_settled", "presented"), True)
RELEASED = an_event("released", declaration_number="4220", released_at="2026-01-05T08:00:00Z", guard=GUARD)
"""A release: three firms are notified of it, over two channels each."""
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


_OWNERS = {topic.name: topic.owner for topic in EVENT_TOPICS}


def trace(name: int, span: int = 1) -> Mapping[str, str]:
    """W3C headers of a trace and a span known by small numbers."""
    return {"traceparent": f"00-{name:032x}-{span:016x}-01"}


@dataclass
class WorldMaker:
    """Records, documents and the rest, in the order of their creation; every group has read everything."""

    records: list[RawRecord] = field(default_factory=list)
    inbox: list[RawRecord] = field(default_factory=list)
    stored: dict[str, Stored] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    """Further fields of the world."""
    _offsets: Any = field(default_factory=itertools.count)

    def say(self, topic: str, type_: str, subject: str, payload: Mapping[str, Any], **envelope: Any) -> str:
        """Put an event of an aggregate on a topic, in one partition; its id."""
        sequence = sum(each.key == subject.encode() and each.topic == topic for each in self.records) + 1
        offset = next(self._offsets)
        told: dict[str, Any] = {
            "id": f"{subject}/0.{sequence}",
            "source": f"/trade/{_OWNERS[topic]}",
            "type": type_,
            "time": NOW + timedelta(seconds=offset),
            "subject": subject,
            "sequence": sequence,
            "partitionkey": "K",
            "causationid": "test",
            "actor": "service:test",
            "trace": trace(1),
        } | envelope
        headers = tuple(Envelope(**told).headers())
        data = json.dumps(payload).encode()
        self.records.append(RawRecord(topic, 0, offset, subject.encode(), headers, data, 1000 * (offset + 1)))
        return str(told["id"])

    def store(
        self, service: str, collection: str, id_: str, state: Mapping[str, Any], *lines: Mapping[str, Any]
    ) -> None:
        """Keep a document whose history has these lines."""
        seq = sum(len(line["events"]) for line in lines)
        self.stored[id_] = Stored(service, collection, id_, seq, state, lines, outbox=())

    def world(self, *groups: str, **changes: Any) -> World:
        """The world, in which these groups have committed to the end."""
        ends: dict[TopicPartition, int] = {}
        for each in (*self.records, *self.inbox):
            ends[TopicPartition(each.topic, each.partition)] = each.offset + 1
        fields: dict[str, Any] = {
            "said": said_of(self.records),
            "records": self.records,
            "inbox": self.inbox,
            "stored": list(self.stored.values()),
            "committed": dict.fromkeys(groups, ends),
            "ends": ends,
        }
        return World(**(fields | self.more | changes))


def line(cause: str, *events: str, number: int = 1, **more: Any) -> Mapping[str, Any]:
    """A history line of trace `number`."""
    return {"cause": cause, "by": "service:test", "at": NOW, "trace": trace(number), "events": list(events), **more}


def parked(service: str, target: str, offset: int, reason: str, **more: Any) -> Mapping[str, Any]:
    """A delivery that waits."""
    return {
        "_id": f"t/0/{offset}/{target}",
        "service": service,
        "target": target,
        "topic": "t",
        "partition": 0,
        "offset": offset,
        "reason": reason,
        "event_id": f"e{offset}",
        "error": "",
        "parked_at": NOW + timedelta(seconds=offset),
    } | more


def actual(ucr: str) -> Mapping[str, Any]:
    """What a partner event that has happened says of its shipment."""
    return {"classifier": "ACT", "references": {"ucr": ucr}}


def passed_over(world: World, group: str) -> Sequence[str]:
    """Records that a group has committed past but not resolved."""
    verdict = offsets(world, [group])
    assert verdict.looked_at, "nothing was looked at"
    return list(verdict.faults)
