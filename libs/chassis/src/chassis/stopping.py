"""Ending parts of the client library, whatever they answer."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


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
