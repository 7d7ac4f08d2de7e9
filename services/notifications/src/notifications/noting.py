"""What became of attempts, saved in batches: a bulk costs the database hardly more than one of its writes."""

import asyncio

from chassis.aggregates import Input, Outcome
from notifications.domain.notice import Command, Notice
from notifications.handlers import Notices

BATCH = 50
BATCHES_AT_ONCE = 3
"""A busy database serves its connections in turn: who waits in one line behind himself falls behind the others."""


class Noting:
    """Inputs of many attempts, applied with whatever else came while the batch before was being saved."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._to_note: list[tuple[Input[Command], asyncio.Future[Outcome[Notice]]]] = []
        self._batches: list[asyncio.Task[None]] = []

    async def note(self, input_: Input[Command]) -> Outcome[Notice]:
        """Apply an input. Raises what its batch met."""
        outcome: asyncio.Future[Outcome[Notice]] = asyncio.get_running_loop().create_future()
        self._to_note.append((input_, outcome))
        self._batches = [each for each in self._batches if not each.done()]
        if not self._batches or (len(self._to_note) >= BATCH and len(self._batches) < BATCHES_AT_ONCE):
            self._batches.append(asyncio.create_task(self._note_all()))
        return await outcome

    def cancel(self) -> None:
        """Give up what is not saved yet; its claims end, and it is tried again."""
        for batches in self._batches:
            batches.cancel()

    async def _note_all(self) -> None:
        while self._to_note:
            batch, self._to_note = self._to_note[:BATCH], self._to_note[BATCH:]
            try:
                outcomes = await self._notices.apply([input_ for input_, _ in batch], recent=True)
            except Exception as error:
                for _, outcome in batch:
                    if not outcome.done():  # else its attempt was given up meanwhile
                        outcome.set_exception(error)
            else:
                for (_, outcome), found in zip(batch, outcomes, strict=True):
                    if not outcome.done():
                        outcome.set_result(found)
