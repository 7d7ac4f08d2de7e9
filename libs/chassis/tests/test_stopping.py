"""Stopping a part stops only that part, and does not swallow the caller's cancellation."""

import asyncio
from contextlib import nullcontext, suppress

import pytest

from chassis.tasks import cancel, end


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


async def test_a_loop_ends_though_a_library_swallowed_its_cancellation() -> None:
    """Behaves like `asyncio.wait_for` of Python 3.11 when its task ends at the moment of cancellation."""
    answers: list[asyncio.Future[None]] = []

    async def ask_for_ever() -> None:
        while True:
            answers.append(asyncio.get_running_loop().create_future())
            with suppress(asyncio.CancelledError) if len(answers) == 1 else nullcontext():
                await answers[-1]

    loop = asyncio.create_task(ask_for_ever())
    await asyncio.sleep(0)
    await asyncio.wait_for(cancel([loop], again_seconds=0.01), 5)
    assert loop.cancelled()
    assert len(answers) == 2, "the first cancellation was swallowed"


async def test_a_task_is_not_disturbed_while_it_ends() -> None:
    ended = False

    async def end_slowly() -> None:
        nonlocal ended
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended = True

    task = asyncio.create_task(end_slowly())
    await asyncio.sleep(0)
    await cancel([task])
    assert ended
    assert task.cancelled()


async def test_what_a_cancelled_task_ends_with_is_nobodys() -> None:
    async def break_at_the_end() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise RuntimeError("broken at its end")

    task = asyncio.create_task(break_at_the_end())
    await asyncio.sleep(0)
    await cancel([task])
    await cancel([])
    assert isinstance(task.exception(), RuntimeError)
