"""The envelope around every payload: CloudEvents 1.0 in Kafka's binary mode.

`parse` is total: whatever bytes a record has, it returns an `Envelope` or a `BadEnvelope`
that says what is wrong. It never raises, because a record that kills its parser is a record
that is lost. Of the headers only `ce_*` decide, and each stands there once; the trace's are read where they
can be read. Every other header is somebody else's and may hold any bytes, or none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

SPECVERSION = "1.0"
CONTENT_TYPE = "application/json"

PREFIX = "ce_"
"""Of every header that is an attribute of an event."""
ECHOED = 200
"""Characters of a header's value that are told where it is refused."""
_TRACE = frozenset({"traceparent", "tracestate", "baggage"})

_REQUIRED = ("ce_id", "ce_source", "ce_type", "ce_time", "ce_specversion")
_required = itemgetter(*_REQUIRED)
_ALWAYS = (("ce_specversion", SPECVERSION.encode()), ("content-type", CONTENT_TYPE.encode()))


class Envelope(NamedTuple):
    """Who says what about which aggregate, caused by what."""

    id: str
    """Unique and final: `<aggregate id>/<epoch>.<seq>`."""
    source: str
    """`/trade/<service>`."""
    type: str
    """`trade.<service>.<aggregate>.<fact>.v<major>`."""
    time: datetime
    subject: str
    """The emitting aggregate's id."""
    sequence: int
    """The aggregate's events counted from 1."""
    partitionkey: str
    """The Kafka key: the UCR for everything that belongs to a shipment."""
    causationid: str
    """Id of the input that caused the event."""
    actor: str
    """Who stood behind that input: `partner:port-qd`, `firm:CN-USCC:…`, `staff:li`, `service:registry`."""
    trace: Mapping[str, str] = MappingProxyType({})
    """W3C headers `traceparent`, `tracestate`, `baggage`."""

    def headers(self) -> list[tuple[str, bytes]]:
        """The Kafka headers, UTF-8."""
        headers = [
            *_ALWAYS,
            ("ce_id", self.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_time", self.time.isoformat().encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_sequence", str(self.sequence).encode()),
            ("ce_partitionkey", self.partitionkey.encode()),
            ("ce_causationid", self.causationid.encode()),
            ("ce_actor", self.actor.encode()),
        ]
        for name, value in self.trace.items():
            headers.append((name, value.encode()))
        return headers


@dataclass(frozen=True, slots=True)
class BadEnvelope:
    """Why a record's headers are no envelope."""

    reason: str


def parse(headers: Sequence[tuple[str, bytes | None]]) -> Envelope | BadEnvelope:
    """Read an envelope from Kafka headers. Never raises."""
    ours = [header for header in headers if header[0].startswith(PREFIX)]
    try:
        text = {name: raw.decode() for name, raw in ours}  # type: ignore[union-attr]  # told below
    except (AttributeError, UnicodeDecodeError):
        return _unreadable(ours)
    if len(text) != len(ours) and (twice := repeated(ours)) is not None:
        return BadEnvelope("header {!r} stands there twice: {!r} and {!r}".format(*twice))
    try:
        id_, source, type_, said_at, version = required = _required(text)
    except KeyError as error:
        return BadEnvelope(f"header {error} is missing")
    if not all(required):
        return BadEnvelope(f"header {_REQUIRED[required.index('')]!r} is missing")
    if version != SPECVERSION:
        return BadEnvelope(f"ce_specversion is {version!r}, only {SPECVERSION} is read")
    try:
        time = datetime.fromisoformat(said_at)
        sequence = int(text.get("ce_sequence", "0"))
    except ValueError as error:
        return BadEnvelope(str(error))
    if time.tzinfo is None:
        return BadEnvelope(f"ce_time {said_at!r} has no offset")
    return Envelope(
        id_,
        source,
        type_,
        time,
        text.get("ce_subject", ""),
        sequence,
        text.get("ce_partitionkey", ""),
        text.get("ce_causationid", ""),
        text.get("ce_actor", ""),
        _trace(headers),
    )


def repeated(headers: Sequence[tuple[str, bytes | None]]) -> tuple[str, str, str] | None:
    """The first name that stands there twice, in whatever case, with both values, as far as they are told."""
    seen: dict[str, bytes | None] = {}
    for name, raw in headers:
        key = name.lower()
        if key in seen:
            return name, _echo(seen[key]), _echo(raw)
        seen[key] = raw
    return None


def _echo(raw: bytes | None) -> str:
    shown = (raw or b"").decode(errors="backslashreplace")
    return shown if len(shown) <= ECHOED else f"{shown[: ECHOED - 1]}…"


def _trace(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    """The trace's headers that are texts: a bad one costs the trace, never the event."""
    found: dict[str, str] = {}
    for name, raw in headers:
        if name in _TRACE and raw is not None:
            try:
                found[name] = raw.decode()
            except UnicodeDecodeError:
                continue
    return found


def _unreadable(headers: Sequence[tuple[str, bytes | None]]) -> BadEnvelope:
    """Which header cannot be read."""
    for name, raw in headers:
        if raw is None:
            return BadEnvelope(f"header {name!r} is null")
        try:
            raw.decode()
        except UnicodeDecodeError:
            break
    return BadEnvelope(f"header {name!r} is not UTF-8")
