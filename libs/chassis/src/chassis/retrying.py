"""Retrying start-up steps and loops while the infrastructure they need is unavailable."""

from collections.abc import Awaitable, Callable

import structlog

from chassis.clock import Clock
from chassis.failures import is_infrastructure, log_failure

RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


async def until_there(step: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Retry a start-up step until the infrastructure it needs is available. Raises any other error."""
    while True:
        try:
            return await step()
        except Exception as error:
            if not is_infrastructure(error):
                raise
            log.warning("start_waits", error=repr(error)[:300], retry_in=RETRY_SECONDS)
        await clock.sleep(RETRY_SECONDS)


async def for_ever(run: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Run a loop; restart it with a pause whenever it raises or ends."""
    while True:
        try:
            await run()
        except Exception as error:
            log_failure(log, "loop_failed", error)
        await clock.sleep(RETRY_SECONDS)
