"""CloudEvents 1.0 as partners send them: structured, binary and batch, over HTTP and Kafka.

Reads only the envelope: `data` is validated by the contract of its type. All faults of an envelope
are reported at once. Attributes that are not carried (subject, schema of the data, extensions other
than the trace's) are listed.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.domain.faults import Fault, Refused
from gateway.formats.bounds import as_fault
from gateway.formats.content import content_hash
from gateway.formats.json_text import read_json
from gateway.formats.validation import MAX_FAULTS, MAX_NOT_READ
from values.faults import NotOfItsForm
from values.moments import read_moment
from values.references import Reference, SubmissionId, SubmissionSource

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON_TYPE = "application/json"

SPECVERSION = "1.0"
MAX_BATCH = 500
_LENGTHS = {"id": 128, "source": 256, "type": 128, "subject": 256}
TRACE = ("traceparent", "tracestate")
_CARRIED = frozenset({"specversion", "id", "source", "type", "time", "datacontenttype"})
"""Attributes that are carried or needed to read the event. `time` is only checked: the data has its own times."""
_NAME = re.compile(r"[a-z0-9]{1,64}")
"""Names of attributes: lower-case letters and digits (CloudEvents 1.0.2, naming conventions)."""
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_MAX_TRACESTATE = 512


@dataclass(frozen=True, slots=True)
class PartnerCloudEvent:
    """An event with its envelope."""

    id: SubmissionId
    source: SubmissionSource
    type: str
    subject: str
    data: Mapping[str, Any]
    original: bytes
    """The bytes received; for an event in a batch, the whole batch."""
    media_type: str
    trace: Mapping[str, str] = field(default_factory=dict)
    """W3C trace headers, if the partner sends any. Baggage is dropped: only the platform sets it."""
    not_read: tuple[str, ...] = ()
    """Pointers of attributes that are not carried."""

    @property
    def content_hash(self) -> str:
        """Hash of the content, without the time of sending and the trace, which may differ between attempts."""
        return content_hash(self.type, self.subject, self.data)


def structured(body: bytes, media_type: str = STRUCTURED) -> PartnerCloudEvent:
    """Read an event in structured mode.

    Raises:
        Refused: with every fault of the envelope.
    """
    return of_object(read_json(body), body, media_type)


def of_object(value: Any, original: bytes, media_type: str = STRUCTURED) -> PartnerCloudEvent:
    """Read an event in structured mode from parsed JSON.

    Raises:
        Refused: with every fault of the envelope.
    """
    if not isinstance(value, dict):
        raise Refused("invalid-event", [Fault("field.not_an_object")])
    faults: list[Fault] = []
    # In the JSON format, a null attribute is absent.
    value = {name: each for name, each in value.items() if each is not None}
    data = value.pop("data", None)
    encoded = value.pop("data_base64", None)
    if data is not None and encoded is not None:
        faults.append(Fault("event.data_twice", "/data_base64"))
    elif encoded is not None:
        data = _decoded(encoded, faults)
    kind = value.get("datacontenttype", JSON_TYPE)
    if not isinstance(kind, str) or essence(kind) != JSON_TYPE:
        faults.append(Fault("event.data_type", "/datacontenttype"))
    if not isinstance(data, dict) and not faults:
        faults.append(Fault("field.not_an_object" if data is not None else "field.required", "/data"))
    return _event(value, data if isinstance(data, dict) else {}, original, media_type, value, faults, prefix="/")


def binary(
    attributes: Mapping[str, str | None], headers: Mapping[str, str], body: bytes, *, prefix: str
) -> PartnerCloudEvent:
    """Read an event in binary mode, with its attributes in headers.

    Args:
        attributes: by name, without the header prefix; a null one is absent.
        headers: other headers by lower-case name; the trace is taken from them.
        prefix: of the attribute headers, for naming them in faults: `ce-` or `ce_`.

    Raises:
        Refused: with every fault of the envelope.
    """
    faults: list[Fault] = []
    data = read_json(body)
    if not isinstance(data, dict):
        faults.append(Fault("field.not_an_object", "/data"))
        data = {}
    given = {name: each for name, each in attributes.items() if each is not None}
    return _event(given, data, body, JSON_TYPE, {**headers, **given}, faults, prefix=prefix)


def batch(body: bytes) -> list[PartnerCloudEvent | Refused]:
    """The events of a batch, in order; an event that cannot be read is a `Refused` in its place.

    Raises:
        Refused: the batch as a whole cannot be read.
    """
    values = read_json(body)
    if not isinstance(values, list):
        raise Refused("invalid-event", [Fault("field.not_a_list")])
    if len(values) > MAX_BATCH:
        raise Refused("batch-too-long", limit=MAX_BATCH)
    found: list[PartnerCloudEvent | Refused] = []
    for value in values:
        try:
            found.append(of_object(value, body, BATCH))
        except Refused as refused:
            found.append(refused)
    return found


def _event(
    attributes: Mapping[str, Any],
    data: Mapping[str, Any],
    original: bytes,
    media_type: str,
    trace: Mapping[str, Any],
    faults: list[Fault],
    *,
    prefix: str,
) -> PartnerCloudEvent:
    faults.extend(_name_faults(attributes, prefix))
    texts = {name: _name(attributes, name, prefix, faults) for name in ("id", "source", "type")}
    subject = attributes.get("subject", "")
    if not isinstance(subject, str) or len(subject) > _LENGTHS["subject"]:
        faults.append(Fault("field.too_long", prefix + "subject", {"limit": _LENGTHS["subject"]}))
        subject = ""
    version = attributes.get("specversion")
    if version != SPECVERSION:
        faults.append(Fault("event.specversion", prefix + "specversion", {"expected": SPECVERSION}))
    if "time" in attributes and not _is_time(attributes["time"]):
        faults.append(Fault("field.no_offset", prefix + "time"))
    taken = trace_of(trace)
    if faults:
        raise Refused("invalid-event", faults)
    return PartnerCloudEvent(
        id=SubmissionId(texts["id"]),
        source=SubmissionSource(texts["source"]),
        type=texts["type"],
        subject=subject,
        data=data,
        original=original,
        media_type=media_type,
        trace=taken,
        not_read=tuple(prefix + name for name in attributes if name not in _CARRIED | taken.keys())[:MAX_NOT_READ],
    )


def _name_faults(attributes: Mapping[str, Any], prefix: str) -> list[Fault]:
    wrong = [name for name in attributes if not _NAME.fullmatch(name)]
    return [Fault("event.attribute_name", prefix + name) for name in wrong[:MAX_FAULTS]]


def twice(pointer: str, first: str, second: str) -> Fault:
    """The fault of an attribute with two values; both are shown."""
    return Fault("event.attribute_twice", pointer, {"first": first, "second": second})


def _name(attributes: Mapping[str, Any], name: str, prefix: str, faults: list[Fault]) -> str:
    """An event's id or source in normal form, checked as a reference."""
    value = attributes.get(name)
    if value is None:
        faults.append(Fault("field.required", prefix + name))
    elif not isinstance(value, str):
        faults.append(Fault("field.not_text", prefix + name))
    elif not (reference := Reference(value)):
        faults.append(Fault("field.empty", prefix + name))
    elif len(reference) > _LENGTHS[name]:
        faults.append(Fault("field.too_long", prefix + name, {"limit": _LENGTHS[name]}))
    elif why := reference.fault():
        faults.append(as_fault(why, prefix + name, value))
    else:
        return reference
    return ""


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(read_moment(value))
    except NotOfItsForm:
        return False


def _decoded(value: Any, faults: list[Fault]) -> Any:
    """The object in `data_base64`."""
    try:
        return read_json(base64.b64decode(str(value), validate=True))
    except (binascii.Error, ValueError):
        faults.append(Fault("event.base64", "/data_base64"))
    except Refused as refused:
        faults.extend(Fault(fault.code, "/data_base64", fault.values) for fault in refused.faults)
        if not refused.faults:
            faults.append(Fault("event.base64", "/data_base64"))
    return None


def trace_of(headers: Mapping[str, Any]) -> dict[str, str]:
    """The sender's W3C trace headers, if well-formed, without baggage."""
    given = {name: headers.get(name) for name in TRACE}
    found = {name: each for name, each in given.items() if isinstance(each, str) and each.isascii()}
    if not _TRACEPARENT.fullmatch(found.get("traceparent", "")):
        return {}
    if len(found.get("tracestate", "")) > _MAX_TRACESTATE:
        del found["tracestate"]
    return found


def essence(content_type: str) -> str:
    """A media type without its parameters."""
    return content_type.partition(";")[0].strip().lower()
