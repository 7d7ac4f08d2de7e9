"""What is kept of a delivery that is parked: why, where, and all that is needed to replay it."""

import traceback
from typing import Any

from chassis.delivery.records import Event, Poisoned, RawRecord
from chassis.parking.model import BEHIND, ParkedDelivery
from chassis.telemetry import trace_headers

_MAX_ERROR = 2000
_MAX_STACK = 8000


class Slips:
    """Describes what is parked by this build."""

    def __init__(self, build: str) -> None:
        self._build = build

    def poisoned(self, poisoned: Poisoned) -> ParkedDelivery:
        """A record that cannot be read; it waits under its key."""
        record = poisoned.record
        return self._describe(record, record.key_lock, poisoned.reason, poisoned.error, "", poisoned.envelope)

    def failed(self, record: RawRecord, target: str, error: Exception, event: Event | None = None) -> ParkedDelivery:
        """What raised."""
        stack = "".join(traceback.format_exception(error))
        envelope = event.envelope if event else None
        return self._describe(record, target, "refused", f"{type(error).__name__}: {error}", stack, envelope)

    def behind(self, event: Event, target: str) -> ParkedDelivery:
        """What did not fail, and must not overtake what did."""
        return self._describe(event.record, target, BEHIND, "", "", event.envelope)

    def conflict(self, event: Event, target: str) -> ParkedDelivery:
        """An event whose id is known with other content."""
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
    """The record as it came from Kafka."""
    at = parked.position
    return RawRecord(at.topic, at.partition, at.offset, parked.key, parked.headers, parked.value, parked.timestamp_ms)
