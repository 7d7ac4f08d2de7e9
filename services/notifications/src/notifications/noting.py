"""What became of attempts, saved in batches: a bulk costs the database hardly more than one of its writes."""

import asyncio

from chassis.aggregates import Input, Outcome
from notifications.domain.notice import Command, Notice
from notifications.handlers import Notices


class Noting:
    """Inputs of many attempts, applied with whatever else came while the batch before was being saved."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._to_note: list[tuple[Input[Command], asyncio.Future[Outcome[Notice]]]] = []
        self._noting: asyncio.Task[None] | None = None

    async def note(self, input_: Input[Command]) -> Outcome[Notice]:
        """Apply an input. Raises what its batch met."""
        outcome: asyncio.Future[Outcome[Notice]] = asyncio.get_running_loop().create_future()
        self._to_note.append((input_, outcome))
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note_all())
        return await outcome

    def cancel(self) -> None:
        """Give up what is not saved yet; its claims end, and it is tried again."""
        if self._noting is not None:
            self._noting.cancel()

    async def _note_all(self) -> None:
        while self._to_note:
            batch, self._to_note = self._to_note, []
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
