"""A partner's CloudEvent in a record of Kafka: binary mode (`ce_*` headers), or structured (the value is the event).

Source: CloudEvents 1.0.2, Kafka protocol binding. Of a record's headers `ce_*` and `content-type` are the platform's:
any other may hold any bytes, or null, and is none of its business.
"""

from collections.abc import Callable

from chassis.delivery import RawRecord
from gateway.domain.faults import Fault, Refused
from gateway.formats.cloudevents import STRUCTURED, TRACE, PartnerCloudEvent, binary, essence, structured, twice
from gateway.formats.validation import MAX_FAULTS

_PREFIX = "ce_"
_CONTENT_TYPE = "content-type"
MAX_BYTES = 1024 * 1024
"""Of one record, unpacked: a compressed one can hold a thousand times what the broker allows on the wire."""


def event_in(record: RawRecord) -> PartnerCloudEvent | Refused:
    """The event in a record, or why there is none. Raises nothing, whatever the record is."""
    try:
        if record.unreadable or size_of(record) > MAX_BYTES:
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


def size_of(record: RawRecord) -> int:
    """Bytes of key, headers and value."""
    headers = sum(len(name) + len(raw or b"") for name, raw in record.headers)
    return len(record.key or b"") + headers + len(record.value or b"")


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
