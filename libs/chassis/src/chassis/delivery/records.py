"""What comes from Kafka, and what it means to a service before any handler sees it.

Classifying is total: every record becomes exactly one of an addressed event, a poisoned one with
its reason, or one that is not addressed to this service.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pydantic import ValidationError

from chassis.parking.model import Position, key_lock
from contracts.envelope import BadEnvelope, Envelope, parse
from contracts.values import Payload

UNREADABLE = "trade-unreadable"
"""Header of the record that stands in place of a batch that cannot be unpacked: why."""


class RawRecord(NamedTuple):
    """A Kafka record as it is, whatever it is."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None
    timestamp_ms: int

    @property
    def position(self) -> Position:
        return Position(self.topic, self.partition, self.offset)

    @property
    def key_lock(self) -> str:
        """The lock of what cannot be resolved to a target: topic and key."""
        return _key_lock(self.topic, self.key)

    @property
    def unreadable(self) -> str:
        """Why nobody can read what this record stands for; empty for every real one."""
        told = next((raw for name, raw in self.headers if name == UNREADABLE), None)
        return (told or b"").decode(errors="replace")


@lru_cache(512)
def _key_lock(topic: str, key: bytes | None) -> str:
    return key_lock(topic, (key or b"").decode(errors="replace"))


class Event(NamedTuple):
    """An addressed record, decoded."""

    envelope: Envelope
    payload: Payload
    record: RawRecord

    @property
    def position(self) -> Position:
        return self.record.position

    @property
    def raw(self) -> bytes:
        """The payload's bytes as they stood on the wire."""
        return self.record.value or b""


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A record that cannot be read."""

    record: RawRecord
    reason: str
    """undecodable, unknown_version or schema."""
    error: str
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True)
class NotAddressed:
    """A type that this service does not subscribe to."""

    record: RawRecord


def classify(record: RawRecord, types: Mapping[str, type[Payload]]) -> Event | Poisoned | NotAddressed:
    """Say what a record is to a service that subscribes to `types` of its topic. Never raises."""
    envelope = parse(record.headers)
    if isinstance(envelope, BadEnvelope):
        return Poisoned(record, "undecodable", record.unreadable or envelope.reason)
    payload = types.get(envelope.type)
    if payload is None:
        if _name(envelope.type) in {_name(type_) for type_ in types}:
            return Poisoned(record, "unknown_version", f"{envelope.type} is a version not known here", envelope)
        return NotAddressed(record)
    if record.value is None:
        return Poisoned(record, "undecodable", "the record has no value", envelope)
    try:
        return Event(envelope, payload.model_validate_json(record.value), record)
    except ValidationError as error:
        return Poisoned(record, "schema", _in_words(error), envelope)
    except (ValueError, RecursionError) as error:
        return Poisoned(record, "undecodable", str(error), envelope)


def _name(type_: str) -> str:
    """An event type without its major version."""
    return type_.rpartition(".")[0]


def _in_words(error: ValidationError) -> str:
    """Field and rule of each fault, without the values: they may be personal data."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"/{'/'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults[:10])


def first_of_each(records: Sequence[RawRecord]) -> dict[tuple[str, int], int]:
    """Per partition the lowest offset of a batch."""
    first: dict[tuple[str, int], int] = {}
    for record in records:
        partition = (record.topic, record.partition)
        first[partition] = min(first.get(partition, record.offset), record.offset)
    return first


def next_of_each(records: Sequence[RawRecord]) -> dict[tuple[str, int], int]:
    """Per partition the offset behind a batch: what is committed once all of it is resolved."""
    following: dict[tuple[str, int], int] = {}
    for record in records:
        partition = (record.topic, record.partition)
        following[partition] = max(following.get(partition, 0), record.offset + 1)
    return following
