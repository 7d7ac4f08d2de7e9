"""Runs work in a thread so that every outcome reaches the event loop.

A future cannot hold a StopIteration: work that raises it in an executor's thread would never complete. So the
thread returns its outcome as a value, and an error is raised where it is awaited.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Broke(Exception):
    """Work in a thread raised what no coroutine may raise."""


async def run_in(executor: Executor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work` in a thread of `executor` and return its result.

    Raises:
        Broke: it raised StopIteration, SystemExit or the like.
        Exception: whatever else it raised.
    """

    def ended() -> tuple[T, None] | tuple[None, BaseException]:
        try:
            return work(*args, **kwargs), None
        except BaseException as error:
            return None, error

    value, error = await asyncio.get_running_loop().run_in_executor(executor, ended)
    if error is None:
        return value  # type: ignore[return-value] # the pair says which of both it is
    if isinstance(error, StopIteration) or not isinstance(error, Exception):
        raise Broke(repr(error)) from error
    raise error
