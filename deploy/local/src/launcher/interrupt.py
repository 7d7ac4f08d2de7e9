"""Runs a program so that it can clean up after Ctrl-C, SIGTERM and a closed terminal."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupted(Exception):
    """The program was told to stop, and everything was stopped."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end or until a signal; waits for cleanup (`finally`, `async with`).

    A second signal ends the process at once, and the kernel kills its children.

    Raises:
        Interrupted: a signal came.
    """
    return asyncio.run(_until_signal(main))


async def _until_signal(main: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main)
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop() -> None:
        for number in signals:
            loop.remove_signal_handler(number)
            if number is not signal.SIGHUP:
                signal.signal(number, signal.SIG_DFL)
        task.cancel()

    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        raise Interrupted from None
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
