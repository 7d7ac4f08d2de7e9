"""One event as the timeline keeps it: never changed, known by the event's id.

Three times are kept apart: when it happened (as its publisher says), when the platform had it at
its door, and when the platform stated it as an event of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from values.numbers import is_digits
from values.payments import BankReference, PaymentReference
from values.references import ContainerNumber, DeclarationNumber, Lrn, Reference, TransportDocument, Ucr


class Term(StrEnum):
    """Kinds of ids by which a shipment is found."""

    UCR = "ucr"
    DECLARATION_NUMBER = "declaration_number"
    LRN = "lrn"
    PAYMENT_REFERENCE = "payment_reference"
    """The platform's, of an assessment."""
    BANK_REFERENCE = "bank_reference"
    """A bank's own of a payment, whichever bank: for search alone, since two banks may have the same."""
    BANK_PAYMENT = "bank_payment"
    """A bank and its own reference, `BANK/REFERENCE`: one payment."""
    CONTAINER = "container"
    TRANSPORT_DOCUMENT = "transport_document"
    EVENT = "event"
    TRACE = "trace"
    RECEIPT = "receipt"
    SUBJECT = "subject"
    REFERENCE = "reference"


TermValue = tuple[Term, str]

_NORMAL: Mapping[Term, type[Reference]] = {
    Term.UCR: Ucr,
    Term.DECLARATION_NUMBER: DeclarationNumber,
    Term.LRN: Lrn,
    Term.PAYMENT_REFERENCE: PaymentReference,
    Term.BANK_REFERENCE: BankReference,
    Term.BANK_PAYMENT: BankReference,
    Term.CONTAINER: ContainerNumber,
    Term.TRANSPORT_DOCUMENT: TransportDocument,
}


def term(kind: Term, written: str) -> TermValue:
    """An id of a kind in its normal form: as it is kept, and as it is looked for."""
    normal = _NORMAL.get(kind)
    return kind, str(normal(written)) if normal is not None else written


@dataclass(frozen=True, slots=True)
class Position:
    """Where the record stands in Kafka."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a timeline."""

    id: str
    ucr: str
    """Empty where the event itself names no shipment."""
    thread: str
    """What it is shown under: the UCR, else the Kafka key."""
    type: str
    source: str
    subject: str
    sequence: int
    cause: str
    actor: str
    trace_id: str
    happened_at: datetime
    """When it happened, as its publisher says; the event's own time where nobody says."""
    happened_offset: str
    """The publisher's own UTC offset, such as `+08:00`; empty where the time is the platform's."""
    received_at: datetime
    """When the platform had it at its door."""
    stated_at: datetime
    """The event's own time."""
    position: Position
    terms: frozenset[TermValue]
    raw: str
    """The payload's text as it stood on the wire."""
    facts: Mapping[str, Any]
    """The payload, decoded."""
    hash: str
    """Fingerprint of everything but trace and position: tells a repeat from a contradiction."""

    @property
    def name(self) -> str:
        """The type without prefix and version, such as `declarations.declaration.accepted`."""
        return fact_name(self.type)


def fact_name(type_: str) -> str:
    """`trade.declarations.declaration.accepted.v1` → `declarations.declaration.accepted`."""
    stem, _, version = type_.rpartition(".")
    return (stem if version[:1] == "v" and is_digits(version[1:]) else type_).removeprefix("trade.")
