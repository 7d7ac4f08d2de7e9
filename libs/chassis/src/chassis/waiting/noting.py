"""Saves the results of attempts in batches: a bulk costs the database hardly more than one write."""

import asyncio
from typing import Any, Generic, TypeVar

from chassis.aggregates import Aggregates, Input, Outcome
from chassis.clock import Clock
from chassis.failures import is_infrastructure
from chassis.tasks import cancel

S = TypeVar("S")
C = TypeVar("C")

BATCH = 50
AGAIN_SECONDS = 0.5
"""Before the next try while the database is away."""
BATCHES_AT_ONCE = 3
"""A busy database serves its connections in turn, so a single writer would fall behind the others."""


class Noting(Generic[S, C]):
    """Collects inputs while the previous batch is being saved, and applies them together."""

    def __init__(self, aggregates: Aggregates[S, C, Any]) -> None:
        self._aggregates = aggregates
        self._to_note: list[tuple[Input[C], asyncio.Future[Outcome[S]]]] = []
        self._batches: list[asyncio.Task[None]] = []

    async def note(self, input_: Input[C]) -> Outcome[S]:
        """Apply an input. Raises the error of its batch."""
        outcome: asyncio.Future[Outcome[S]] = asyncio.get_running_loop().create_future()
        self._to_note.append((input_, outcome))
        self._batches = [each for each in self._batches if not each.done()]
        if not self._batches or (len(self._to_note) >= BATCH and len(self._batches) < BATCHES_AT_ONCE):
            self._batches.append(asyncio.create_task(self._note_all()))
        return await outcome

    async def note_within(self, seconds: float, input_: Input[C], clock: Clock) -> Outcome[S]:
        """Apply an input, again and again while the database is away. Raises what the last batch met."""
        until = clock.monotonic() + seconds
        while True:
            try:
                return await self.note(input_)
            except Exception as error:
                if not is_infrastructure(error) or clock.monotonic() > until:
                    raise
            await clock.sleep(AGAIN_SECONDS)

    async def give_up(self) -> None:
        """Drop inputs not saved yet; their leases expire, and the attempts are repeated."""
        await cancel(self._batches)

    async def _note_all(self) -> None:
        while self._to_note:
            batch, self._to_note = self._to_note[:BATCH], self._to_note[BATCH:]
            try:
                outcomes = await self._aggregates.apply([input_ for input_, _ in batch], recent=True)
            except Exception as error:
                for _, outcome in batch:
                    if not outcome.done():  # otherwise its attempt was cancelled meanwhile
                        outcome.set_exception(error)
            else:
                for (_, outcome), found in zip(batch, outcomes, strict=True):
                    if not outcome.done():
                        outcome.set_result(found)
