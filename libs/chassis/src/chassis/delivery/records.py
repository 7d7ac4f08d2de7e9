"""Records from Kafka, and their classification before any handler sees them.

Classification is total: every record is either an event for this service, a poisoned record with a reason, or not
addressed to this service.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pydantic import ValidationError

from chassis.parking import Position, key_lock
from contracts.envelope import BadEnvelope, Envelope, parse
from contracts.values import Payload

UNREADABLE = "trade-unreadable"
"""Header of the record that replaces a batch which cannot be unpacked; its value is the reason."""


class RawRecord(NamedTuple):
    """A Kafka record, not decoded."""

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
        """The lock for a record whose target cannot be determined: topic and key."""
        return _key_lock(self.topic, self.key)

    @property
    def unreadable(self) -> str:
        """Why the batch that this record replaces is unreadable; empty for every real record."""
        told = next((raw for name, raw in self.headers if name == UNREADABLE), None)
        return (told or b"").decode(errors="replace")


@lru_cache(512)
def _key_lock(topic: str, key: bytes | None) -> str:
    return key_lock(topic, (key or b"").decode(errors="replace"))


class Event(NamedTuple):
    """A decoded record addressed to this service."""

    envelope: Envelope
    payload: Payload
    record: RawRecord

    @property
    def position(self) -> Position:
        return self.record.position

    @property
    def raw(self) -> bytes:
        """The payload's original bytes."""
        return self.record.value or b""


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A record that cannot be decoded."""

    record: RawRecord
    reason: str
    """undecodable, unknown_version or schema."""
    error: str
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True)
class NotAddressed:
    """A record of a type that this service does not subscribe to."""

    record: RawRecord


def classify(record: RawRecord, types: Mapping[str, type[Payload]]) -> Event | Poisoned | NotAddressed:
    """Classify a record for a service that subscribes to `types` of its topic. Never raises."""
    envelope = parse(record.headers)
    if isinstance(envelope, BadEnvelope):
        return Poisoned(record, "undecodable", record.unreadable or envelope.reason)
    payload = types.get(envelope.type)
    if payload is None:
        if _name(envelope.type) in {_name(type_) for type_ in types}:
            return Poisoned(record, "unknown_version", f"{envelope.type} has a version not known here", envelope)
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
    """Field and rule of each fault, without the values, which may be personal data."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"/{'/'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults[:10])


def first_of_each(records: Sequence[RawRecord]) -> dict[tuple[str, int], int]:
    """Per partition, the lowest offset of a batch."""
    first: dict[tuple[str, int], int] = {}
    for record in records:
        partition = (record.topic, record.partition)
        first[partition] = min(first.get(partition, record.offset), record.offset)
    return first


def next_of_each(records: Sequence[RawRecord]) -> dict[tuple[str, int], int]:
    """Per partition, the offset after the batch, which is committed once the batch is resolved."""
    following: dict[tuple[str, int], int] = {}
    for record in records:
        partition = (record.topic, record.partition)
        following[partition] = max(following.get(partition, 0), record.offset + 1)
    return following
