"""A part of a library that breaks at its end takes nobody along, and nobody's own cancellation is lost."""

import asyncio

import pytest

from chassis.stopping import end


async def ends_with_a_cancellation_of_its_own() -> None:
    waiting = asyncio.ensure_future(asyncio.sleep(60))
    await asyncio.sleep(0)
    waiting.cancel()
    await waiting


async def breaks() -> None:
    raise RuntimeError("a bug of the library")


@pytest.mark.parametrize("stop", [ends_with_a_cancellation_of_its_own, breaks])
async def test_what_the_library_answers_at_its_end_passes_to_nobody(stop: object) -> None:
    await end(stop)  # type: ignore[arg-type]


async def test_the_callers_own_cancellation_passes() -> None:
    ending = asyncio.ensure_future(end(lambda: asyncio.sleep(60)))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending


async def test_a_time_limit_around_it_holds() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await end(lambda: asyncio.sleep(60))
