"""Stopping our tasks and parts of the client libraries, however they fail."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import structlog

AGAIN_SECONDS: Final = 5.0
"""Longer than any of our tasks takes to end once cancelled."""

log = structlog.get_logger(__name__)


async def cancel(tasks: Iterable[asyncio.Task[Any]], *, again_seconds: float = AGAIN_SECONDS) -> None:
    """Cancel tasks and wait until they have ended; their results and errors are dropped.

    Cancels repeatedly: `asyncio.wait_for` of Python 3.11, which the database driver uses for writes, swallows a
    cancellation that coincides with the end of its awaited task. The loop would then run on and the service not stop.
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
    """Stop a part that is no longer needed; an error is logged and stops nothing else.

    A library may wait for tasks that it has cancelled itself, and then their CancelledError surfaces here. It is
    swallowed; a cancellation of the caller is passed on.
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


def stop_signal() -> asyncio.Event:
    """Set once the process is asked to end, by SIGTERM or Ctrl-C."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
