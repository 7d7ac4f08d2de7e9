"""Reads a partner's CloudEvent from a Kafka record: binary mode (`ce_*` headers), or structured (the value).

Source: CloudEvents 1.0.2, Kafka protocol binding. Only the headers `ce_*` and `content-type` are read as the envelope:
any other may hold any bytes or null.
"""

from collections.abc import Callable

from chassis.delivery import RawRecord
from gateway.domain.faults import Fault, Refused
from gateway.formats.cloudevents import STRUCTURED, TRACE, PartnerCloudEvent, binary, essence, structured, twice
from gateway.formats.validation import MAX_FAULTS

_PREFIX = "ce_"
_CONTENT_TYPE = "content-type"
MAX_BYTES = 1024 * 1024
"""Maximum size of a decompressed record; compression can exceed the broker's limit a thousandfold."""


def event_in(record: RawRecord) -> PartnerCloudEvent | Refused:
    """The event in a record, or its refusal. Never raises."""
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
    """The headers that `is_meant` selects, as strings by lower-case name; null becomes None.

    Raises:
        Refused: a selected header is not UTF-8, or repeated.
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
    """A header in readable form, whatever its bytes are."""
    return "null" if raw is None else raw.decode(errors="backslashreplace")


def _trace(record: RawRecord) -> dict[str, str]:
    """The trace headers of a record, if they are valid."""
    given = {name.lower(): raw for name, raw in record.headers if name.lower() in TRACE}
    return {name: raw.decode() for name, raw in given.items() if raw is not None and raw.isascii()}
