"""MongoDB store of outcomes: entries of declarations, partners' events and payments."""

from collections.abc import Sequence
from dataclasses import asdict

from chassis.mongo import Database
from gateway.domain.event_outcome import Note, Share
from gateway.domain.outcome import Step
from gateway.outcomes.entries import Entries


class MongoOutcomes:
    """Steps of declarations, one entry per event."""

    def __init__(self, database: Database) -> None:
        self._steps = Entries(database, "outcomes", former_list="steps")

    async def create_indexes(self) -> None:
        await self._steps.create_indexes()

    async def note(self, steps: Sequence[tuple[str, Step]]) -> None:
        await self._steps.add([(id_, asdict(step)) for id_, step in steps])

    async def steps(self, declaration_id: str) -> list[Step]:
        """The steps in the order of the declaration's events."""
        found = [Step(**each) for each in await self._steps.about(declaration_id)]
        return sorted(found, key=lambda step: step.sequence)


class MongoEventOutcomes:
    """The collections `event_outcomes` (by receipt of an event) and `payment_shares` (by payment)."""

    def __init__(self, database: Database) -> None:
        self._notes = Entries(database, "event_outcomes", former_list="notes")
        self._shares = Entries(database, "payment_shares", former_list="shares")

    async def create_indexes(self) -> None:
        await self._notes.create_indexes()
        await self._shares.create_indexes()

    async def note(self, notes: Sequence[tuple[str, Note]]) -> None:
        await self._notes.add([(id_, asdict(note)) for id_, note in notes])

    async def notes(self, receipt_id: str) -> list[Note]:
        return [Note(**each) for each in await self._notes.about(receipt_id)]

    async def share(self, shares: Sequence[tuple[str, Share]]) -> None:
        await self._shares.add([(id_, asdict(share)) for id_, share in shares])

    async def shares(self, payment: str) -> list[Share]:
        return [Share(**each) for each in await self._shares.about(payment)]
