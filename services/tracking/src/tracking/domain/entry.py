"""One event of the timeline: immutable, identified by the event's id.

An entry has three times: when it happened (according to its publisher), when the platform received
it, and when the platform published it as its own event.
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
    """The platform's reference of an assessment."""
    BANK_REFERENCE = "bank_reference"
    """A bank's own reference of a payment, without the bank: only for search, because two banks may use the same."""
    BANK_PAYMENT = "bank_payment"
    """A bank and its own reference, `BANK/REFERENCE`: identifies one payment."""
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
    """An id in the normal form in which it is stored and searched."""
    normal = _NORMAL.get(kind)
    return kind, str(normal(written)) if normal is not None else written


@dataclass(frozen=True, slots=True)
class Position:
    """Topic, partition and offset of a record."""

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
    """Empty if the event does not name a shipment."""
    thread: str
    """The timeline that shows it: the UCR, or else the Kafka key."""
    type: str
    source: str
    subject: str
    sequence: int
    cause: str
    actor: str
    trace_id: str
    happened_at: datetime
    """When it happened according to its publisher; the event's own time if the publisher does not say."""
    happened_offset: str
    """The publisher's UTC offset, such as `+08:00`; empty if the time is the platform's."""
    received_at: datetime
    """When the platform received it."""
    stated_at: datetime
    """The event's own time."""
    position: Position
    terms: frozenset[TermValue]
    raw: str
    """The payload's original text."""
    facts: Mapping[str, Any]
    """The payload, decoded."""
    hash: str
    """Hash of everything but trace and position; distinguishes a repeat from a conflict."""

    @property
    def name(self) -> str:
        """The type without prefix and version, such as `declarations.declaration.accepted`."""
        return fact_name(self.type)


def fact_name(type_: str) -> str:
    """`trade.declarations.declaration.accepted.v1` → `declarations.declaration.accepted`."""
    stem, _, version = type_.rpartition(".")
    return (stem if version[:1] == "v" and is_digits(version[1:]) else type_).removeprefix("trade.")
