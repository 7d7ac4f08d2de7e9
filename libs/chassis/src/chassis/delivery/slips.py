"""Builds the record of a parked delivery: reason, position, and all that is needed to replay it."""

import traceback
from typing import Any

from chassis.delivery.records import Event, Poisoned, RawRecord
from chassis.parking import BEHIND, ParkedDelivery
from chassis.telemetry import trace_headers

_MAX_ERROR = 2000
_MAX_STACK = 8000


class Slips:
    """Builds the records of deliveries that this build parks."""

    def __init__(self, build: str) -> None:
        self._build = build

    def poisoned(self, poisoned: Poisoned) -> ParkedDelivery:
        """A record that cannot be decoded; parked by its key."""
        record = poisoned.record
        return self._describe(record, record.key_lock, poisoned.reason, poisoned.error, "", poisoned.envelope)

    def failed(self, record: RawRecord, target: str, error: Exception, event: Event | None = None) -> ParkedDelivery:
        """A delivery whose handling raised an error."""
        stack = "".join(traceback.format_exception(error))
        envelope = event.envelope if event else None
        return self._describe(record, target, "refused", f"{type(error).__name__}: {error}", stack, envelope)

    def behind(self, event: Event, target: str) -> ParkedDelivery:
        """A delivery that did not fail, but must not overtake one that did."""
        return self._describe(event.record, target, BEHIND, "", "", event.envelope)

    def conflict(self, event: Event, target: str) -> ParkedDelivery:
        """An event whose id was applied with other content."""
        error = "the same event id was applied with other content"
        return self._describe(event.record, target, "conflict", error, "", event.envelope)

    def _describe(
        self, record: RawRecord, target: str, reason: str, error: str, stack: str, envelope: Any
    ) -> ParkedDelivery:
        return ParkedDelivery(
            target=target,
            position=record.position,
            key=record.key,
            headers=record.headers,
            value=record.value,
            timestamp_ms=record.timestamp_ms,
            reason=reason,
            error=error[:_MAX_ERROR],
            stack=stack[-_MAX_STACK:],
            event_id=envelope.id if envelope else "",
            event_type=envelope.type if envelope else "",
            trace_id=trace_headers.trace_id(envelope.trace) if envelope else "",
            build=self._build,
        )


def record_of(parked: ParkedDelivery) -> RawRecord:
    """The original Kafka record."""
    at = parked.position
    return RawRecord(at.topic, at.partition, at.offset, parked.key, parked.headers, parked.value, parked.timestamp_ms)
