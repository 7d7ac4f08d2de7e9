"""Turns a Kafka record into a timeline entry, or into `Unreadable`; never raises.

Tracking reads every event type of every topic, including types newer than itself: it reads the fields
that it knows by name and keeps the rest unchanged.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chassis.delivery import RawRecord
from contracts.envelope import BadEnvelope, Envelope, parse
from tracking.domain.entry import Entry, Position, Term, TermValue, term
from values.faults import NotOfItsForm
from values.moments import read_moment
from values.references import Ucr

MAX_ID = 500
MAX_TERM = 120
MAX_TERMS = 200
MAX_DEPTH = 40
_TRACEPARENT_PARTS = 4

_FIELDS = {
    "ucr": Term.UCR,
    "declaration_number": Term.DECLARATION_NUMBER,
    "lrn": Term.LRN,
    "payment_reference": Term.PAYMENT_REFERENCE,
    "container": Term.CONTAINER,
    "containers": Term.CONTAINER,
    "transport_document": Term.TRANSPORT_DOCUMENT,
    "receipt_id": Term.RECEIPT,
    "reference": Term.REFERENCE,
    "listing_id": Term.REFERENCE,
    "project_id": Term.REFERENCE,
    "mandate_id": Term.REFERENCE,
    "match_id": Term.REFERENCE,
    "project_reference": Term.REFERENCE,
    "mandate_reference": Term.REFERENCE,
}

_OF_MONEY = frozenset({"payment_reference", "bank_reference"})


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that could not be read, with the reason."""

    record: RawRecord
    reason: str


def read(record: RawRecord) -> Entry | Unreadable:
    """The entry of a record. Never raises."""
    try:
        return _read(record)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        return Unreadable(record, f"{type(error).__name__}: {error}"[:500])


def _read(record: RawRecord) -> Entry | Unreadable:
    envelope = parse(record.headers)
    if isinstance(envelope, BadEnvelope):
        return Unreadable(record, envelope.reason)
    if len(envelope.id) > MAX_ID or "\0" in envelope.id:
        return Unreadable(record, "the event id is too long, or contains a null character")
    if record.value is None:
        return Unreadable(record, "the record has no value")
    raw = record.value.decode()
    payload = json.loads(raw)
    if not isinstance(payload, dict):
        return Unreadable(record, "the payload is not a JSON object")
    if _depth(payload) > MAX_DEPTH:
        return Unreadable(record, f"the payload is nested deeper than {MAX_DEPTH}")
    terms = frozenset(_terms(envelope, payload))
    ucr = _ucr(payload)
    happened, offset = _happened(payload, envelope)
    return Entry(
        id=envelope.id,
        ucr=ucr,
        thread=ucr or envelope.partitionkey or envelope.subject or envelope.id,
        type=envelope.type,
        source=envelope.source,
        subject=envelope.subject,
        sequence=envelope.sequence,
        cause=envelope.causationid,
        actor=envelope.actor,
        trace_id=trace_id(envelope.trace),
        happened_at=happened,
        happened_offset=offset,
        received_at=_time(payload.get("received_at")) or envelope.time.astimezone(UTC),
        stated_at=envelope.time.astimezone(UTC),
        position=Position(record.topic, record.partition, record.offset),
        terms=terms,
        raw=raw,
        facts=payload,
        hash=_hash(envelope, record.value),
    )


def trace_id(trace: Mapping[str, str]) -> str:
    """The trace id of a W3C `traceparent`; empty if there is none."""
    parts = trace.get("traceparent", "").split("-")
    return parts[1] if len(parts) == _TRACEPARENT_PARTS else ""


def _hash(envelope: Envelope, value: bytes) -> str:
    said = (envelope.type, envelope.source, envelope.subject, str(envelope.sequence), envelope.causationid)
    told = (envelope.actor, envelope.partitionkey, envelope.time.astimezone(UTC).isoformat())
    digest = hashlib.sha256("\x1f".join(said + told).encode())
    digest.update(value)
    return digest.hexdigest()[:24]


def _ucr(payload: Mapping[str, Any]) -> str:
    """The UCR of a payload: its own, its references' or its declaration's."""
    nested = (payload.get("references"), payload.get("declaration"))
    for holder in (payload, *(each for each in nested if isinstance(each, dict))):
        if isinstance(holder.get("ucr"), str) and holder["ucr"]:
            return str(Ucr(_clean(holder["ucr"])))
    return ""


def _happened(payload: Mapping[str, Any], envelope: Envelope) -> tuple[datetime, str]:
    """When it happened, and the publisher's UTC offset if it gives one."""
    said = payload.get("occurred_at")
    moment = _time(said)
    if moment is None:
        return envelope.time.astimezone(UTC), ""
    return moment, _offset(str(said))


def _offset(said: str) -> str:
    delta = read_moment(said).utcoffset()
    minutes = int(delta.total_seconds() // 60) if delta is not None else 0
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _time(said: object) -> datetime | None:
    if not isinstance(said, str):
        return None
    try:
        return read_moment(said).astimezone(UTC)
    except NotOfItsForm:
        return None


def _terms(envelope: Envelope, payload: Mapping[str, Any]) -> Iterator[TermValue]:
    yield Term.EVENT, envelope.id
    if envelope.subject:
        yield Term.SUBJECT, envelope.subject[:MAX_TERM]
    if trace := trace_id(envelope.trace):
        yield Term.TRACE, trace[:MAX_TERM]
    declaration = payload.get("declaration")
    transport = declaration.get("transport") if isinstance(declaration, dict) else None
    if isinstance(transport, dict) and isinstance(transport.get("document"), str):
        yield term(Term.TRANSPORT_DOCUMENT, _clean(transport["document"]))
    for number, found in enumerate(_named(payload)):
        if number == MAX_TERMS:
            return
        yield found


def _named(holder: Mapping[str, Any]) -> Iterator[TermValue]:
    """Ids in fields of known names, in nested objects too; lists of objects are not searched."""
    for name, value in holder.items():
        if isinstance(value, dict):
            yield from _named(value)
        elif name in _OF_MONEY and isinstance(holder.get("publisher"), str):
            yield from _of_bank(holder["publisher"], value)
        elif name in _FIELDS:
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str) and each:
                    yield term(_FIELDS[name], _clean(each))


def _of_bank(bank: str, reference: object) -> Iterator[TermValue]:
    """The terms of a bank's own reference: without the bank for search, with the bank to identify the payment."""
    if isinstance(reference, str) and reference:
        yield term(Term.BANK_REFERENCE, _clean(reference))
        yield term(Term.BANK_PAYMENT, _clean(f"{bank}/{reference}"))


def _clean(value: str) -> str:
    """A string that the database accepts: without lone surrogates, of bounded length."""
    return value.encode("utf-8", "replace").decode()[:MAX_TERM]


def _depth(payload: object) -> int:
    """Nesting depth of objects and lists; stops counting above the limit."""
    level, depth = [payload], 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
            if isinstance(child, dict | list)
        ]
    return depth
