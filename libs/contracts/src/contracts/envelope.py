"""The envelope around every payload: CloudEvents 1.0 in Kafka's binary mode.

`parse` is total: for any bytes it returns an `Envelope`, or a `BadEnvelope` that says what is wrong. It never raises,
because a record that crashes its parser would be lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

from values.moments import read_moment
from values.numbers import read_whole

SPECVERSION = "1.0"
CONTENT_TYPE = "application/json"

_REQUIRED = ("ce_id", "ce_source", "ce_type", "ce_time", "ce_specversion")
_required = itemgetter(*_REQUIRED)
_ALWAYS = (("ce_specversion", SPECVERSION.encode()), ("content-type", CONTENT_TYPE.encode()))


class Envelope(NamedTuple):
    """The metadata of an event: its source, type, aggregate, cause and trace."""

    id: str
    """Unique and permanent: `<aggregate id>/<epoch>.<seq>`."""
    source: str
    """`/trade/<service>`."""
    type: str
    """`trade.<service>.<aggregate>.<fact>.v<major>`."""
    time: datetime
    subject: str
    """The emitting aggregate's id."""
    sequence: int
    """Number of the event within its aggregate, from 1."""
    partitionkey: str
    """The Kafka key: the UCR for everything that belongs to a shipment."""
    causationid: str
    """Id of the input that caused the event."""
    actor: str
    """The actor of that input: `partner:port-qd`, `firm:CN-USCC:…`, `staff:li`, `service:registry`."""
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
    """Why a record's headers are not an envelope."""

    reason: str


def parse(headers: Sequence[tuple[str, bytes | None]]) -> Envelope | BadEnvelope:
    """Read an envelope from Kafka headers. Never raises."""
    try:
        text = {name: raw.decode() for name, raw in headers}  # type: ignore[union-attr]  # handled below
    except (AttributeError, UnicodeDecodeError):
        ours = _without_foreign(headers)
        if isinstance(ours, BadEnvelope):
            return ours
        text = ours
    try:
        id_, source, type_, said_at, version = required = _required(text)
    except KeyError as error:
        return BadEnvelope(f"header {error} is missing")
    if not all(required):
        return BadEnvelope(f"header {_REQUIRED[required.index('')]!r} is missing")
    if version != SPECVERSION:
        return BadEnvelope(f"ce_specversion is {version!r}, only {SPECVERSION} is supported")
    try:
        time = read_moment(said_at)
        sequence = read_whole(text.get("ce_sequence", "0"))
    except ValueError as error:
        return BadEnvelope(str(error))
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
        {name: text[name] for name in ("traceparent", "tracestate", "baggage") if name in text},
    )


def _without_foreign(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str] | BadEnvelope:
    """The headers as texts, skipping undecodable foreign ones; a `BadEnvelope` if one of ours cannot be decoded."""
    text = {}
    for name, raw in headers:
        try:
            text[name] = raw.decode()  # type: ignore[union-attr]  # handled below
        except (AttributeError, UnicodeDecodeError):
            if name.startswith("ce_"):
                return BadEnvelope(f"header {name!r} is {'null' if raw is None else 'not UTF-8'}")
    return text
