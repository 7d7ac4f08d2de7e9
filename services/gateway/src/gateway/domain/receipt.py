"""A receipt: the gateway's record of a submission, and the event that publishes it.

    (nothing) ── KeepSubmission ──▶ Receipt, SubmissionReceived

A receipt is identified by (submitter, source, submission id); its id is a hash of these, so a
repeated submission finds its receipt over HTTP and Kafka alike. A receipt never changes: the outcome
of the submission comes from the service that processes it.
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
"""Source of submissions with an id from the firm."""

CONTENT = "content"
"""Source of submissions without an id: they are identified by their content."""


@dataclass(frozen=True, slots=True)
class SubmissionWarning:
    """A warning about one place of a submission."""

    code: str
    pointer: str
    value: str = ""
    expected: str = ""
    """The right value, if there is only one."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway's record of one submission."""

    id: str
    kind: Kind
    submitter: str
    """`partner:<code>` or `firm:<SCHEME>:<VALUE>`."""
    source: str
    submission_id: str
    content_hash: str
    media_type: str
    original: str
    """SHA-256 of the original bytes, under which they are stored."""
    received_at: datetime
    type: str
    """Type of the published event."""
    key: str
    """Kafka key: the UCR, or else another reference of the submission."""
    ucr: str = ""
    declarant: str = ""
    """`SCHEME:VALUE` of a declaration's declarant."""
    lrn: str = ""
    """Local reference of a declaration; a project's or mandate's own reference."""
    declaration_id: str = ""
    """The id of a declaration, under which declarations publishes its events."""
    classifier: str = ""
    """ACT, EST or PLN of a partner's event; empty in receipts from before classifiers were stored."""
    not_read: tuple[str, ...] = ()
    """Parts of the original that the published payload does not carry."""
    warnings: tuple[SubmissionWarning, ...] = ()
    """Warnings about the accepted submission."""


@dataclass(frozen=True, slots=True)
class KeepSubmission:
    """Store a submission that is authenticated, authorised and validated."""

    receipt: Receipt
    payload: str
    """The payload to publish: JSON of the contract of `receipt.type`, with the receipt's facts inside."""


@dataclass(frozen=True, slots=True)
class SubmissionReceived:
    receipt: Receipt
    payload: str


class ReceiptExists(Exception):
    """Another submission has the same receipt id: a hash collision."""


def submission_key(submitter: str, source: str, submission_id: str) -> str:
    """The identity of a submission as one string, unambiguous for any content of its parts."""
    return json.dumps([submitter, source, submission_id], ensure_ascii=False)


def receipt_id(kind: Kind, submitter: str, source: str, submission_id: str) -> str:
    """Receipt id of a submission: the prefix of its kind and 24 hex digits of the hash of its identity."""
    digest = hashlib.sha256(submission_key(submitter, source, submission_id).encode()).hexdigest()
    return f"{_PREFIX[kind]}-{digest[:24]}"


def kind_of(id_: str) -> Kind | None:
    """The kind of a receipt id; None if it is not a receipt id."""
    return next((kind for kind, prefix in _PREFIX.items() if id_.startswith(f"{prefix}-")), None)


def decide(state: Receipt | None, command: KeepSubmission, now: datetime) -> Sequence[SubmissionReceived]:  # noqa: ARG001
    """Store a new submission. A repeated submission never gets here: its cause is a duplicate.

    Raises:
        ReceiptExists: another submission has the same receipt id.
    """
    if state is not None:
        raise ReceiptExists(command.receipt.id)
    return (SubmissionReceived(command.receipt, command.payload),)


def evolve(state: Receipt | None, event: SubmissionReceived) -> Receipt:  # noqa: ARG001
    return event.receipt
