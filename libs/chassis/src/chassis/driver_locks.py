"""Waits of the database driver that leave its locks as they were, whenever they are given up.

Up to Python 3.11 `asyncio.wait_for` waits in a task of its own. Cancelled while that task reacquires the condition's
lock, it leaves the task behind: the driver then releases a lock that another task holds, and the abandoned task keeps
the lock. Operations fail with "cannot wait on un-acquired lock", or hang. From 3.12 on `wait_for` waits in the caller's
task, as here (decision 0048).
"""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.lock

T = TypeVar("T")


async def wait_in_this_task(work: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109 - the signature it replaces
    """Wait in the caller's own task, as `asyncio.wait_for` does from Python 3.12 on.

    Raises:
        TimeoutError: it took longer than `timeout` seconds.
    """
    async with asyncio.timeout(timeout):
        return await work


def mend() -> None:
    """Let the driver's conditions be waited for in the caller's task."""
    if sys.version_info < (3, 12):
        vars(pymongo.lock)["wait_for"] = wait_in_this_task
