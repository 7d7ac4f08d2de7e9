"""Outcomes of partners' events: stores the notes of declarations and accounts by receipt, and renders them.

Shares of a payment that names only a UCR are stored by payment, because an account allocates them without
naming the bank's events.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from chassis.delivery import Event
from contracts.declarations.settlement import Allocated, ReportNoted
from contracts.declarations.v1 import PartnerEventNoted
from contracts.texts import text
from contracts.values import Payload
from gateway.domain.event_outcome import (
    EXPECTATION,
    WAITING,
    WITHOUT_EFFECT,
    Note,
    Outcome,
    Share,
    judged,
    outcomes,
    status_of,
)
from gateway.domain.receipt import Kind, Receipt, receipt_id

NOTED: Mapping[str, type[Payload]] = {
    "trade.declarations.declaration.partner_event_noted.v1": PartnerEventNoted,
    "trade.declarations.settlement.report_noted.v1": ReportNoted,
    "trade.declarations.settlement.allocated.v1": Allocated,
}
"""The consumed event types."""


class EventOutcomes(Protocol):
    async def note(self, notes: Sequence[tuple[str, Note]]) -> None:
        """Add notes to receipts by id; harmless to repeat."""
        ...

    async def notes(self, receipt_id: str) -> list[Note]: ...

    async def share(self, shares: Sequence[tuple[str, Share]]) -> None:
        """Add shares to payments by id; harmless to repeat."""
        ...

    async def shares(self, payment: str) -> list[Share]: ...


async def keep(kept: EventOutcomes, events: Sequence[Event]) -> None:
    """Store the notes and shares of events; harmless to repeat."""
    notes = [note for event in events for note in to_notes(event)]
    shares = [to_share(event) for event in events if isinstance(event.payload, Allocated)]
    if notes:
        await kept.note(notes)
    if shares:
        await kept.share(shares)


def to_notes(event: Event) -> Iterator[tuple[str, Note]]:
    """The notes of an event by receipt: of the event's own receipt, and of the one that it retracts."""
    said = event.payload
    if isinstance(said, Allocated) or (isinstance(said, ReportNoted) and said.declaration_id is not None):
        return  # a share of a payment, or noted by the declaration itself
    assert isinstance(said, PartnerEventNoted | ReportNoted)  # noqa: S101 - the subscription says so
    envelope = event.envelope
    source = said.retracts_source or said.submission_source
    target, named = "", {}
    if said.retracts is not None and source is not None:
        target = receipt_id(Kind.EVENT, f"partner:{said.publisher}", source, said.retracts)
        named = {"id": said.retracts, "source": source}
    note = Note(
        event=envelope.id,
        sequence=envelope.sequence,
        declaration_id=said.declaration_id or "",
        at=envelope.time.isoformat(),
        reason=str(said.without_effect or ""),
        parameters={**named, **said.effect_parameters},
        takes_back=target,
        payment=_payment(said) if isinstance(said, ReportNoted) else "",
    )
    yield said.event_id.partition("/")[0], note
    if target:
        yield target, Note(note.event, note.sequence, note.declaration_id, note.at, retraction=True, reason=note.reason)


def to_share(event: Event) -> tuple[str, Share]:
    """The payment's id and the share of an `allocated` event."""
    said = event.payload
    assert isinstance(said, Allocated)  # noqa: S101 - the caller checks
    envelope = event.envelope
    return _payment(said), Share(
        event=envelope.id,
        sequence=envelope.sequence,
        declaration_id=said.declaration_id,
        at=envelope.time.isoformat(),
        amount=str(said.amount.amount),
        currency=said.amount.currency,
    )


def _payment(said: ReportNoted | Allocated) -> str:
    """The id of a payment: the account, the bank, and the bank's own reference."""
    return f"{said.settlement_id}/{said.publisher}/{said.payment_reference or ''}"


async def load_view(kept: EventOutcomes, receipt: Receipt, lang: str) -> dict[str, Any]:
    """The view of an event for its partner, from its stored notes and shares."""
    notes = [
        judged(note, await kept.notes(note.takes_back)) if note.takes_back else note
        for note in await kept.notes(receipt.id)
    ]
    payments = sorted({note.payment for note in notes if note.payment})
    shares = [share for payment in payments for share in await kept.shares(payment)]
    return shown(receipt, notes, shares, lang)


def shown(receipt: Receipt, notes: Sequence[Note], shares: Sequence[Share], lang: str) -> dict[str, Any]:
    """The view of an event for its partner: the overall status, and the outcome for each declaration."""
    found = outcomes(notes, shares)
    status = status_of(receipt.classifier, found)
    fields: dict[str, Any] = {"status": status, "outcomes": [_shown(each, lang) for each in found]}
    if status in (WAITING, EXPECTATION):
        waits = status == WAITING and any(note.payment for note in notes)
        fields["text"] = text("gateway.outcome.money_waits" if waits else f"gateway.outcome.{status}", lang)
    return fields


def _shown(outcome: Outcome, lang: str) -> dict[str, Any]:
    code, parameters = _words(outcome)
    fields: dict[str, Any] = {"status": outcome.status, "at": outcome.at, "text": text(code, lang, **parameters)}
    if outcome.declaration_id:
        fields["declaration_id"] = outcome.declaration_id
    if outcome.share is not None:
        fields["amount"] = {"amount": outcome.share.amount, "currency": outcome.share.currency}
    return fields | ({"reason": outcome.reason} if outcome.reason else {})


def _words(outcome: Outcome) -> tuple[str, Mapping[str, str]]:
    """The text's code and parameters."""
    if outcome.status == WITHOUT_EFFECT:
        return f"effect.{outcome.reason}", outcome.parameters
    if outcome.share is not None:
        return "gateway.outcome.share", {"amount": f"{outcome.share.amount} {outcome.share.currency}"}
    if outcome.status == WAITING and not outcome.declaration_id:
        return "gateway.outcome.money_waits", {}
    return f"gateway.outcome.{outcome.status}", {}
