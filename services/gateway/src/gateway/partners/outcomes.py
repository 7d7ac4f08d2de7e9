"""What partners are told of their events: notes of declarations, kept by receipt, and put into words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from chassis.mongo import Database
from chassis.records import Event
from contracts.declarations.v1 import PartnerEventNoted
from contracts.texts import text
from gateway.domain.event_outcome import EXPECTATION, WAITING, WITHOUT_EFFECT, Note, Outcome, outcomes, status_of
from gateway.domain.receipt import Kind, Receipt, receipt_id
from gateway.stores import push_once

NOTED: Mapping[str, type[PartnerEventNoted]] = {
    "trade.declarations.declaration.partner_event_noted.v1": PartnerEventNoted
}
"""The type consumed."""


class EventOutcomes(Protocol):
    async def note(self, notes: Sequence[tuple[str, Note]]) -> None:
        """Add notes to receipts by id; harmless to repeat."""
        ...

    async def notes(self, receipt_id: str) -> list[Note]: ...


class MongoEventOutcomes:
    """The collection `event_outcomes`: one document per receipt of an event, one entry per note."""

    def __init__(self, database: Database) -> None:
        self._collection = database["event_outcomes"]

    async def note(self, notes: Sequence[tuple[str, Note]]) -> None:
        await push_once(self._collection, "notes", [(id_, asdict(note)) for id_, note in notes])

    async def notes(self, receipt_id: str) -> list[Note]:
        document = await self._collection.find_one({"_id": receipt_id})
        return [Note(**each) for each in (document or {}).get("notes", ())]


def to_notes(event: Event) -> Iterator[tuple[str, Note]]:
    """What a noted event says of receipts: of its own, and of the one that it takes back."""
    said = event.payload
    assert isinstance(said, PartnerEventNoted)  # noqa: S101 - what the subscription asks for
    envelope = event.envelope
    note = Note(
        event=envelope.id,
        sequence=envelope.sequence,
        declaration_id=said.declaration_id,
        at=envelope.time.isoformat(),
        reason=str(said.without_effect or ""),
        parameters=said.effect_parameters,
    )
    yield said.event_id.partition("/")[0], note
    source = said.retracts_source or said.submission_source
    if said.retracts is not None and source is not None:
        target = receipt_id(Kind.EVENT, f"partner:{said.publisher}", source, said.retracts)
        yield target, Note(note.event, note.sequence, note.declaration_id, note.at, retraction=True, reason=note.reason)


def shown(receipt: Receipt, notes: Sequence[Note], spoken: str) -> dict[str, Any]:
    """What a partner is shown of its event: the status as a whole, and each declaration's."""
    found = outcomes(notes)
    status = status_of(receipt.classifier, found)
    fields: dict[str, Any] = {"status": status, "outcomes": [_shown(each, spoken) for each in found]}
    if status in (WAITING, EXPECTATION):
        fields["text"] = text(f"gateway.outcome.{status}", spoken)
    return fields


def _shown(outcome: Outcome, spoken: str) -> dict[str, Any]:
    code = f"effect.{outcome.reason}" if outcome.status == WITHOUT_EFFECT else f"gateway.outcome.{outcome.status}"
    fields = {
        "declaration_id": outcome.declaration_id,
        "status": outcome.status,
        "at": outcome.at,
        "text": text(code, spoken, **outcome.parameters),
    }
    return fields | ({"reason": outcome.reason} if outcome.reason else {})
