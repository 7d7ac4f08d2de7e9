"""Consumes a partner's topic: every record is accepted or quarantined, so a bad record blocks nothing.

The topic identifies the partner: the broker allows nobody else to write to it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter

from chassis import telemetry
from chassis.clock import Clock
from chassis.delivery import RawRecord
from gateway.domain.access import Principal
from gateway.domain.faults import Refused
from gateway.formats.cloudevents import PartnerCloudEvent
from gateway.partners.handlers import take_events
from gateway.partners.kafka_binding import MAX_BYTES, event_in, size_of
from gateway.partners.known import KnownPartners
from gateway.partners.plausible import Limits
from gateway.partners.quarantine import Quarantine, Quarantined, to_plain
from gateway.receipts import Receipts, Taken

QUARANTINED = Counter(
    "trade_quarantined_total", "Records of partners' topics that were refused", ["partner", "problem"]
)

log = structlog.get_logger(__name__)


class InboxHandler:
    """Handles the records of one partner's topic."""

    def __init__(
        self,
        principal: Principal,
        partners: KnownPartners,
        receipts: Receipts,
        quarantine: Quarantine,
        clock: Clock,
        limits: Limits = Limits(),  # noqa: B008 - a value that never changes
    ) -> None:
        self._principal = principal
        self._limits = limits
        self._partners = partners
        self._receipts = receipts
        self._quarantine = quarantine
        self._clock = clock

    async def apply(self, records: Sequence[RawRecord]) -> None:
        """Give every record a receipt, the receipt of its original, or a place in quarantine."""
        events = [event_in(record) for record in records]
        now = self._clock.now()
        # Received when the broker stored it, so that a gateway outage makes no record late.
        received = [min(_appended(record), now) for record in records]
        traces = [{} if isinstance(event, Refused) else telemetry.outsiders(event.trace) for event in events]
        answers: Sequence[Taken | Refused]
        try:
            principal = await self._partners.as_registered(self._principal)
        except Refused as nobody:
            answers = [nobody] * len(events)
        else:
            answers = await take_events(self._receipts, principal, events, received, traces, self._limits)
        bad = [
            self._quarantined(record, event, answer, now)
            for record, event, answer in zip(records, events, answers, strict=True)
            if isinstance(answer, Refused)
        ]
        if bad:
            await self._quarantine.save(bad)
        for each in bad:
            QUARANTINED.labels(each.partner, each.problem).inc()
            log.warning("record_quarantined", record=each.id, partner=each.partner, problem=each.problem)

    def _quarantined(
        self, record: RawRecord, event: PartnerCloudEvent | Refused, refused: Refused, now: datetime
    ) -> Quarantined:
        known = event if isinstance(event, PartnerCloudEvent) else None
        record = _kept(record)
        return Quarantined(
            id=str(record.position),
            partner=self._principal.owner.code,
            at=now,
            problem=refused.problem,
            values={name: str(value) for name, value in refused.values.items()},
            faults=tuple(to_plain(fault) for fault in refused.faults),
            key=record.key,
            headers=record.headers,
            value=record.value,
            trace_id=telemetry.trace_id(known.trace) if known and known.trace else "",
            submission={"source": known.source, "id": known.id} if known else {},
        )


def _appended(record: RawRecord) -> datetime:
    return datetime.fromtimestamp(max(record.timestamp_ms, 0) / 1000, UTC)


def _kept(record: RawRecord) -> RawRecord:
    """The part of a bad record to store: all of it, unless it is too large for the database."""
    if size_of(record) <= MAX_BYTES:
        return record
    value = None if record.value is None else record.value[:MAX_BYTES]
    return record._replace(key=(record.key or b"")[:MAX_BYTES], headers=(), value=value)
