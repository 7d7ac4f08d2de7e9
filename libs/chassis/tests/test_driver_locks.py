"""The driver's conditions give their locks back, also where a wait is given up while somebody else holds the lock."""

import asyncio
import contextlib

from pymongo.lock import _async_cond_wait, _async_create_condition, _async_create_lock

import chassis.mongo  # noqa: F401 - it mends the driver
from chassis.testing import eventually

TIMED_OUT = 0.01


async def test_a_wait_that_is_given_up_takes_the_lock_back_first_and_from_nobody() -> None:
    lock = _async_create_lock()
    condition = _async_create_condition(lock)

    async def waits() -> None:
        async with lock:
            await _async_cond_wait(condition, TIMED_OUT)

    async def waiting() -> bool:
        return bool(condition._waiters)

    async def timed_out() -> bool:
        return not condition._waiters

    waiter = asyncio.create_task(waits())
    await eventually(waiting, within_seconds=5, every_seconds=0)
    async with lock:
        await eventually(timed_out, within_seconds=5, every_seconds=0.001)
        waiter.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiter.done(), "it released the lock that is held here"
        assert lock.locked()
    with contextlib.suppress(asyncio.CancelledError):
        await waiter
    assert not lock.locked(), "nobody is left who takes it"


async def test_a_wait_ends_when_its_time_is_over_and_when_it_is_notified() -> None:
    condition = _async_create_condition(_async_create_lock())
    async with condition:
        assert not await _async_cond_wait(condition, TIMED_OUT)
        waiting = asyncio.create_task(_notify(condition))
        assert await _async_cond_wait(condition, 5)
        await waiting


async def _notify(condition: object) -> None:
    async with condition:  # type: ignore[attr-defined]
        condition.notify()  # type: ignore[attr-defined]
