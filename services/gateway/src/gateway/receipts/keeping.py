"""Keeping submissions: original bytes and, at the same time, the receipt with its event, in batches.

What `keep` returns as taken is durable: the bytes and the receipt are saved, the event waits in
the receipt's outbox. Where only one of the two was saved, nothing is said to be taken, and the same
submission brings the other: bytes are kept under their hash, the receipt is known by the submission's name.
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
    """What a submitter sent, byte by byte."""

    body: bytes
    media_type: str

    @property
    def id(self) -> str:
        return _digest(self.body)


@lru_cache(maxsize=1)
def _digest(body: bytes) -> str:
    """Remembered for one: all events of a batch share its bytes."""
    return hashlib.sha256(body).hexdigest()


class Originals(Protocol):
    async def save(self, originals: Sequence[Original]) -> None:
        """Keep bytes under their hash; harmless to repeat."""
        ...

    async def get(self, id_: str) -> Original | None: ...


@dataclass(frozen=True, slots=True)
class Submission:
    """What is to be kept: the command, the bytes it came from, and the trace it came with."""

    command: KeepSubmission
    original: Original | None
    """None: it is kept already."""
    trace: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """A submission that is kept."""

    receipt: Receipt
    duplicate: bool = False
    """It was kept before: this is the first receipt."""


class Receipts:
    """All receipts: those of partners and those of firms."""

    def __init__(self, partners: Stored, firms: Stored, originals: Originals) -> None:
        self._partners = partners
        self._firms = firms
        self._originals = originals

    async def keep(self, submissions: Sequence[Submission]) -> list[Taken | Refused]:
        """Keep submissions of one door; per submission its receipt, or why it is refused.

        Raises:
            InfrastructureError: or the driver's own; nothing is known then, and all may come again.
            Exception: what broke while one of them was kept; no input of a partner does that.
        """
        if not submissions:
            return []
        stored = self._stored(submissions[0].command.receipt.kind)
        # Both are waited for, also where one failed: nothing goes on behind the back of whoever asked.
        outcomes, kept = await asyncio.gather(
            stored.apply([_input(each) for each in submissions], unseen=True),
            self.keep_originals([each.original for each in submissions if each.original is not None]),
            return_exceptions=True,
        )
        if isinstance(kept, BaseException) and (is_infrastructure(kept) or not isinstance(outcomes, BaseException)):
            raise kept  # of two that failed the one that passes by itself: it is tried again
        if isinstance(outcomes, BaseException):
            raise outcomes
        return [_answer(outcome) for outcome in outcomes]

    async def keep_originals(self, originals: Sequence[Original]) -> None:
        """Keep the bytes of submissions."""
        if originals:
            await self._originals.save(originals)

    async def get(self, id_: str) -> Receipt | None:
        kind = kind_of(id_)
        return None if kind is None else await self._stored(kind).get(id_)

    async def of_declaration(self, declaration_id: str) -> list[Receipt]:
        """All receipts under one declarant and local reference, oldest first."""
        found = await self._firms.find({"state.declaration_id": declaration_id})
        return sorted(found, key=lambda receipt: receipt.received_at)

    async def original(self, receipt: Receipt) -> Original | None:
        """The bytes that a receipt is for."""
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
            # Blocked: an earlier one of the same name in this batch was too large.
            return Refused("too-large", limit="what one event may hold")
        case Failed(error=error):
            raise error
    raise AssertionError(f"a receipt has a state after {outcome!r}")
