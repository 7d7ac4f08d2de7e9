"""Load beside what a test does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def meanwhile(*turns: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Take each of these turns again and again while the block lasts; at its end, what is in hand is finished.

    Raises:
        ExceptionGroup: a turn raised, or the block did.
    """
    done = asyncio.Event()

    async def again(turn: Callable[[], Awaitable[None]]) -> None:
        while not done.is_set():
            await turn()

    async with asyncio.TaskGroup() as group:
        for turn in turns:
            group.create_task(again(turn))
        try:
            yield
        finally:
            done.set()
