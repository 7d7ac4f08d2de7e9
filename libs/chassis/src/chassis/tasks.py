"""Ending tasks of ours and parts of the client libraries, whatever they answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import structlog

AGAIN_SECONDS: Final = 5.0
"""Longer than any of our tasks takes to end when it is asked to."""

log = structlog.get_logger(__name__)


async def cancel(tasks: Iterable[asyncio.Task[Any]], *, again_seconds: float = AGAIN_SECONDS) -> None:
    """Cancel tasks and wait until they have ended; what they end with is nobody's any more.

    Once is not enough: the `asyncio.wait_for` of Python 3.11, in which the database's driver writes, swallows a
    cancellation that meets the end of what it waits for. A loop would go on for ever, and its service would not stop.
    """
    all_ = left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again_seconds)
        if left:
            log.warning("cancellation_not_heard", tasks=sorted(repr(task.get_coro()) for task in left))
    await asyncio.gather(*all_, return_exceptions=True)


async def end(stop: Callable[[], Awaitable[object]]) -> None:
    """Stop a part that is not needed any more; what breaks meanwhile is told, and ends nothing else.

    The library waits for tasks of its own that it has cancelled, and where one of them was just waiting for the
    broker, their cancellation comes out here. It is not the caller's: that one passes.
    """
    try:
        await stop()
    except asyncio.CancelledError as error:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
        log.warning("client_broke_at_its_end", error=repr(error))
    except Exception as error:
        log.warning("client_broke_at_its_end", error=repr(error))
