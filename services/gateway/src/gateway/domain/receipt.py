"""A receipt: the gateway's word that it has a submission, and the one event that passes it on.

    (nothing) ── KeepSubmission ──▶ Receipt, SubmissionReceived

A receipt is known by (submitter, source, submission id); its id is a hash of them, so the same
submission finds its receipt again wherever it comes in. It never changes: what becomes of the
submission is told by the service that takes it from here.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    EVENT = "event"
    DECLARATION = "declaration"
    PROJECT = "project"
    MANDATE = "mandate"


_PREFIX = {Kind.EVENT: "PE", Kind.DECLARATION: "DC", Kind.PROJECT: "PJ", Kind.MANDATE: "MD"}

IDEMPOTENCY_KEY = "idempotency-key"
"""Source of submissions that a firm named itself."""

CONTENT = "content"
"""Source of submissions without a name of their own: their content is their name."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something odd at one place of a submission."""

    code: str
    pointer: str
    value: str = ""
    expected: str = ""
    """What would have been right, where one value is."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of one submission."""

    id: str
    kind: Kind
    submitter: str
    """`partner:<code>` or `firm:<SCHEME>:<VALUE>`."""
    source: str
    submission_id: str
    content_hash: str
    media_type: str
    original: str
    """SHA-256 of the original bytes, under which they are kept."""
    received_at: datetime
    type: str
    """Type of the event that passes it on."""
    key: str
    """Kafka key: the UCR, else what the submission refers to."""
    ucr: str = ""
    declarant: str = ""
    """`SCHEME:VALUE`, of a declaration."""
    lrn: str = ""
    """Local reference of a declaration; a project's or mandate's own reference."""
    declaration_id: str = ""
    """Of a declaration: under which its owner tells what became of it."""
    classifier: str = ""
    """Of a partner's event: ACT, EST or PLN; empty of one of before it was kept."""
    not_read: tuple[str, ...] = ()
    """Parts of the original that are not carried."""
    warnings: tuple[Oddity, ...] = ()
    """What is odd about it; it was taken all the same."""


@dataclass(frozen=True, slots=True)
class KeepSubmission:
    """Keep a submission that was authenticated, authorised and validated."""

    receipt: Receipt
    payload: str
    """What is passed on: JSON by the contract of `receipt.type`, with the receipt's facts inside."""


@dataclass(frozen=True, slots=True)
class SubmissionReceived:
    receipt: Receipt
    payload: str


class ReceiptExists(Exception):
    """Another submission has this receipt's id: two names with one hash."""


def submission_key(submitter: str, source: str, submission_id: str) -> str:
    """The name of a submission; unambiguous whatever stands in its parts."""
    return json.dumps([submitter, source, submission_id], ensure_ascii=False)


def receipt_id(kind: Kind, submitter: str, source: str, submission_id: str) -> str:
    """Receipt id of a submission: the prefix of its kind and 24 hex digits of a hash of its name."""
    digest = hashlib.sha256(submission_key(submitter, source, submission_id).encode()).hexdigest()
    return f"{_PREFIX[kind]}-{digest[:24]}"


def kind_of(id_: str) -> Kind | None:
    """The kind of a receipt id; None where it is no receipt's."""
    return next((kind for kind, prefix in _PREFIX.items() if id_.startswith(f"{prefix}-")), None)


def decide(state: Receipt | None, command: KeepSubmission, now: datetime) -> Sequence[SubmissionReceived]:  # noqa: ARG001
    """Keep what is new. The same submission again never gets here: it is known by its cause.

    Raises:
        ReceiptExists: the id is taken by a submission of another name.
    """
    if state is not None:
        raise ReceiptExists(command.receipt.id)
    return (SubmissionReceived(command.receipt, command.payload),)


def evolve(state: Receipt | None, event: SubmissionReceived) -> Receipt:  # noqa: ARG001
    return event.receipt
