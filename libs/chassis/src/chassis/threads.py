"""Work beside the loop, whose every end reaches the loop.

A future takes no StopIteration: what raises it in an executor's thread would never be answered. So a
thread's work hands back its end as a value, and is raised where it is waited for.
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
    """What `work` returns, done by a thread of `executor`.

    Raises:
        Broke: it raised StopIteration or ended the way a process ends.
        Exception: what it raised.
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
