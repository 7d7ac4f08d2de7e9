"""A partner's topic: every record is taken or quarantined, and nothing queues behind a bad one.

The topic is the partner's identity: the broker lets nobody else write to it. A record holds a
CloudEvent, in binary mode (`ce_*` headers) or structured (the value is the event). Of its headers these and
`content-type` are the platform's: any other may hold any bytes, or null, and is none of its business.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from prometheus_client import Counter

from chassis import telemetry
from chassis.clock import Clock
from chassis.delivery import RawRecord
from chassis.rpc import Place
from gateway.domain.access import Principal
from gateway.domain.faults import Fault, Refused
from gateway.formats.cloudevents import STRUCTURED, TRACE, PartnerCloudEvent, binary, essence, structured, twice
from gateway.formats.documents import MAX_FAULTS
from gateway.partners.handlers import take_events
from gateway.partners.known import KnownPartners
from gateway.partners.plausible import Limits
from gateway.receipts.keeping import Receipts, Taken

_PREFIX = "ce_"
_CONTENT_TYPE = "content-type"
MAX_BYTES = 1024 * 1024
"""Of one record, unpacked: a compressed one can hold a thousand times what the broker allows on the wire."""

QUARANTINED = Counter(
    "trade_quarantined_total", "Records of partners' topics that were refused", ["partner", "problem"]
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A bad record as it came, and why it was not taken; of one that is too large, the beginning."""

    id: str
    """`topic/partition/offset`."""
    partner: str
    at: datetime
    """When it was refused."""
    problem: str
    values: Mapping[str, Any]
    faults: tuple[Mapping[str, Any], ...]
    """Fields of `Fault`."""
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None
    trace_id: str = ""
    submission: Mapping[str, str] = field(default_factory=dict)
    """Source and id, where they could be read."""

    @property
    def place(self) -> Place:
        return self.at, self.id


class Quarantine(Protocol):
    async def save(self, records: Sequence[Quarantined]) -> None:
        """Keep bad records; harmless to repeat."""
        ...

    async def of_partner(self, partner: str, *, before: Place | None, limit: int) -> list[Quarantined]:
        """Newest first, by moment and id; only those before a place."""
        ...

    async def get(self, partner: str, id_: str) -> Quarantined | None: ...


class InboxHandler:
    """Takes what stands on one partner's topic."""

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
        """Resolve every record: a receipt, a duplicate's receipt, or quarantine."""
        events = [_read(record) for record in records]
        now = self._clock.now()
        # Received when the broker had it, so that a gateway that was away makes nobody late.
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
            faults=tuple(_plain(fault) for fault in refused.faults),
            key=record.key,
            headers=record.headers,
            value=record.value,
            trace_id=telemetry.trace_id(known.trace) if known and known.trace else "",
            submission={"source": known.source, "id": known.id} if known else {},
        )


def _plain(fault: Fault) -> dict[str, Any]:
    values = {name: str(value) for name, value in fault.values.items()}
    return {"code": fault.code, "pointer": fault.pointer, "values": values, "value": fault.value}


def fault_of(plain: Mapping[str, Any]) -> Fault:
    """A fault as it was kept."""
    return Fault(plain["code"], plain["pointer"], plain["values"], plain["value"])


def _appended(record: RawRecord) -> datetime:
    return datetime.fromtimestamp(max(record.timestamp_ms, 0) / 1000, UTC)


def _size(record: RawRecord) -> int:
    headers = sum(len(name) + len(raw or b"") for name, raw in record.headers)
    return len(record.key or b"") + headers + len(record.value or b"")


def _kept(record: RawRecord) -> RawRecord:
    """What is kept of a bad record: all of it where the database takes it."""
    if _size(record) <= MAX_BYTES:
        return record
    value = None if record.value is None else record.value[:MAX_BYTES]
    return record._replace(key=(record.key or b"")[:MAX_BYTES], headers=(), value=value)


def _read(record: RawRecord) -> PartnerCloudEvent | Refused:
    """The event in a record, or why there is none. Raises nothing, whatever the record is."""
    try:
        if record.unreadable or _size(record) > MAX_BYTES:
            raise Refused("too-large", limit=MAX_BYTES)
        if record.value is None:
            raise Refused("invalid-event", [Fault("record.no_value")])
        content_type = _texts(record, _CONTENT_TYPE.__eq__).get(_CONTENT_TYPE)
        if essence(content_type or "") == STRUCTURED:
            return structured(record.value)
        attributes = _texts(record, _is_attribute)
        if not attributes:
            return structured(record.value)
        given = {name.removeprefix(_PREFIX): text for name, text in attributes.items()}
        return binary(given, _trace(record), record.value, prefix=_PREFIX)
    except Refused as refused:
        return refused


def _is_attribute(name: str) -> bool:
    return name.startswith(_PREFIX)


def _texts(record: RawRecord, is_meant: Callable[[str], bool]) -> dict[str, str | None]:
    """Those headers that are meant, as texts by lower-case name; null is kept as None.

    Raises:
        Refused: of those one is not UTF-8, or stands there twice.
    """
    given: dict[str, bytes | None] = {}
    texts: dict[str, str | None] = {}
    faults: list[Fault] = []
    for name, raw in ((name.lower(), raw) for name, raw in record.headers if is_meant(name.lower())):
        if name in given:
            faults.append(twice(name, _shown(given[name]), _shown(raw)))
            continue
        given[name] = raw
        try:
            texts[name] = None if raw is None else raw.decode()
        except UnicodeDecodeError:
            faults.append(Fault("record.header", name, value=_shown(raw)))
    if faults:
        raise Refused("invalid-event", faults[:MAX_FAULTS])
    return texts


def _shown(raw: bytes | None) -> str:
    """A header as a person reads it, whatever its bytes are."""
    return "null" if raw is None else raw.decode(errors="backslashreplace")


def _trace(record: RawRecord) -> dict[str, str]:
    """What a tracing tool wrote beside the event, where it is what it seems to be."""
    given = {name.lower(): raw for name, raw in record.headers if name.lower() in TRACE}
    return {name: raw.decode() for name, raw in given.items() if raw is not None and raw.isascii()}
