"""Results of attempts are saved in batches: each gets its answer, also one that comes just as a batch ends."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from chassis.aggregates import Aggregates, Duplicate, Outcome
from chassis.waiting.noting import BATCH, BATCHES_AT_ONCE, Noting


class Slow:
    """Aggregates whose saves end when the test says."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.let = asyncio.Event()

    async def apply(self, inputs: Sequence[Any], *, recent: bool) -> list[Any]:
        assert recent
        self.batches.append(len(inputs))
        await self.let.wait()
        outcome: Outcome[Any] = Duplicate(None)
        return [outcome for _ in inputs]


@pytest.fixture
def slow() -> Slow:
    return Slow()


async def note(slow: Slow, count: int) -> tuple[Noting[Any, Any], list["asyncio.Task[Any]"]]:
    noting = Noting(cast(Aggregates[Any, Any, Any], slow))
    tasks = [asyncio.create_task(noting.note(cast(Any, number))) for number in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return noting, tasks


async def test_what_comes_together_is_one_save(slow: Slow) -> None:
    slow.let.set()
    _, tasks = await note(slow, BATCH)
    await asyncio.gather(*tasks)
    assert slow.batches == [BATCH]


async def test_a_long_queue_is_saved_by_a_few_side_by_side(slow: Slow) -> None:
    _, tasks = await note(slow, BATCH * (BATCHES_AT_ONCE + 2))
    assert slow.batches == [BATCH] * BATCHES_AT_ONCE
    slow.let.set()
    assert len(await asyncio.gather(*tasks)) == BATCH * (BATCHES_AT_ONCE + 2)
    assert sum(slow.batches) == len(tasks)


async def test_one_that_comes_as_a_batch_ends_is_saved_too(slow: Slow) -> None:
    slow.let.set()
    noting, (first,) = await note(slow, 1)
    # In the same turn of the loop in which the first is answered, before anything else runs.
    first.add_done_callback(lambda _: second.append(asyncio.ensure_future(noting.note(cast(Any, 2)))))
    second: list[asyncio.Future[Any]] = []
    await first
    async with asyncio.timeout(5):
        await asyncio.gather(*second)
    assert slow.batches == [1, 1]
