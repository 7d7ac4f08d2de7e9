"""Stores submissions in batches: the original bytes, and concurrently the receipt with its event.

A submission that `keep` returns as `Taken` is durable: bytes and receipt are saved, and the event is in
the receipt's outbox. If only one of the two was saved, the submission is not reported as taken, and
repeating it saves the other: bytes are stored under their hash, the receipt under the submission's identity.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from chassis.aggregates import (
    Aggregates,
    Applied,
    Blocked,
    Conflict,
    DocumentTooLarge,
    Duplicate,
    EventTooLarge,
    Failed,
    Input,
    Outcome,
)
from chassis.failures import is_infrastructure
from gateway.domain.faults import Refused
from gateway.domain.receipt import KeepSubmission, Kind, Receipt, SubmissionReceived, kind_of, submission_key

Stored = Aggregates[Receipt, KeepSubmission, SubmissionReceived]


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes that a submitter sent."""

    body: bytes
    media_type: str

    @property
    def id(self) -> str:
        return _digest(self.body)


@lru_cache(maxsize=1)
def _digest(body: bytes) -> str:
    """Cached for the last bytes: all events of a batch share them."""
    return hashlib.sha256(body).hexdigest()


class Originals(Protocol):
    async def save(self, originals: Sequence[Original]) -> None:
        """Store bytes under their hash; harmless to repeat."""
        ...

    async def get(self, id_: str) -> Original | None: ...


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission to store: the command, the original bytes and the trace."""

    command: KeepSubmission
    original: Original | None
    """None: already stored."""
    trace: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """A stored submission."""

    receipt: Receipt
    duplicate: bool = False
    """The submission was already stored; the receipt is the first one."""


class Receipts:
    """The receipts of partners and of firms."""

    def __init__(self, partners: Stored, firms: Stored, originals: Originals) -> None:
        self._partners = partners
        self._firms = firms
        self._originals = originals

    async def keep(self, submissions: Sequence[Submission]) -> list[Taken | Refused]:
        """Store submissions of one kind; returns for each its receipt or its refusal.

        Raises:
            InfrastructureError: or the driver's own; the outcome is unknown, and all submissions may be repeated.
            Exception: a bug; no input of a partner causes it.
        """
        if not submissions:
            return []
        stored = self._stored(submissions[0].command.receipt.kind)
        # Wait for both even if one fails, so that nothing continues in the background.
        outcomes, kept = await asyncio.gather(
            stored.apply([_input(each) for each in submissions], unseen=True),
            self.keep_originals([each.original for each in submissions if each.original is not None]),
            return_exceptions=True,
        )
        if isinstance(kept, BaseException) and (is_infrastructure(kept) or not isinstance(outcomes, BaseException)):
            raise kept  # of two failures, the temporary one: it is retried
        if isinstance(outcomes, BaseException):
            raise outcomes
        return [_answer(outcome) for outcome in outcomes]

    async def keep_originals(self, originals: Sequence[Original]) -> None:
        """Store the bytes of submissions."""
        if originals:
            await self._originals.save(originals)

    async def get(self, id_: str) -> Receipt | None:
        kind = kind_of(id_)
        return None if kind is None else await self._stored(kind).get(id_)

    async def of_declaration(self, declaration_id: str) -> list[Receipt]:
        """All receipts of one declarant and local reference, oldest first."""
        found = await self._firms.find({"state.declaration_id": declaration_id})
        return sorted(found, key=lambda receipt: receipt.received_at)

    async def original(self, receipt: Receipt) -> Original | None:
        """The original bytes of a receipt."""
        return await self._originals.get(receipt.original)

    def _stored(self, kind: Kind) -> Stored:
        return self._partners if kind is Kind.EVENT else self._firms


def _input(submission: Submission) -> Input[KeepSubmission]:
    receipt = submission.command.receipt
    return Input(
        target=receipt.id,
        cause=submission_key(receipt.submitter, receipt.source, receipt.submission_id),
        command=submission.command,
        actor=receipt.submitter,
        hash=receipt.content_hash,
        trace=submission.trace,
    )


def _answer(outcome: Outcome[Receipt]) -> Taken | Refused:
    match outcome:
        case Applied(state=Receipt() as receipt):
            return Taken(receipt)
        case Duplicate(state=Receipt() as receipt):
            return Taken(receipt, duplicate=True)
        case Conflict(state=Receipt() as receipt):
            return Refused("submission-conflict", receipt=receipt.id, submission=receipt.submission_id)
        case Failed(error=EventTooLarge() | DocumentTooLarge()) | Blocked():
            # Blocked: an earlier submission with the same identity in this batch was too large.
            return Refused("too-large", limit="what one event may hold")
        case Failed(error=error):
            raise error
    raise AssertionError(f"a receipt has a state after {outcome!r}")
