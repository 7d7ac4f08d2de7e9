"""Runs starts concurrently: all succeed, or the first failure cancels the others and is then raised."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def all_or_none(starts: Iterable[Coroutine[Any, Any, None]]) -> None:
    tasks = [asyncio.ensure_future(start) for start in starts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
