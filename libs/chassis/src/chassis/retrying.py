"""Retrying start-up steps and loops while the infrastructure they need is unavailable."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import structlog

from chassis.clock import Clock
from chassis.failures import is_infrastructure, log_failure, words_for

RETRY_SECONDS = 1.0
REPEAT_SECONDS = 30.0
"""How often a step says again what it waits for, while that stays the same."""

log = structlog.get_logger(__name__)


class Start:
    """The start-up steps of a process, one after another."""

    def __init__(self, clock: Clock, explained: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        self._clock = clock
        self._explained = explained
        """Around each attempt: turns failures into ones with a text for the operator."""
        self._told_at = 0.0
        self.waits_for: str | None = None
        """What the current step lacks, in one line; None if nothing."""

    async def until_there(self, step: Callable[[], Awaitable[None]]) -> None:
        """Retry a step until the infrastructure it needs is available. Raises any other error."""
        while True:
            try:
                async with self._explained():
                    await step()
            except Exception as error:
                if not is_infrastructure(error):
                    raise
                self._note(words_for(error))
            else:
                self.waits_for = None
                return
            await self._clock.sleep(RETRY_SECONDS)

    def _note(self, why: str) -> None:
        now = self._clock.monotonic()
        if why != self.waits_for or now - self._told_at >= REPEAT_SECONDS:
            log.warning("start_waits", error=why, retry_in=RETRY_SECONDS)
            self._told_at = now
        self.waits_for = why


async def for_ever(run: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Run a loop; restart it with a pause whenever it raises or ends."""
    while True:
        try:
            await run()
        except Exception as error:
            log_failure(log, "loop_failed", error)
        await clock.sleep(RETRY_SECONDS)
