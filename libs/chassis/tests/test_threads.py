"""Work in threads: every outcome reaches the awaiting code."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chassis.threads import Broke, run_in

SOURCES = Path(__file__).parents[3]


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def test_what_work_returns_comes_back(executor: ThreadPoolExecutor) -> None:
    assert await run_in(executor, int, "7", base=8) == 7


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (ValueError("x"), ValueError),
        (StopIteration(), Broke),
        (StopAsyncIteration(), StopAsyncIteration),
        (GeneratorExit(), Broke),
        (asyncio.CancelledError(), Broke),
        (SystemExit(3), Broke),
        (KeyboardInterrupt(), Broke),
    ],
)
async def test_whatever_work_raises_is_raised_where_it_is_waited_for(
    executor: ThreadPoolExecutor, raised: BaseException, seen: type[BaseException]
) -> None:
    def work() -> None:
        raise raised

    async with asyncio.timeout(5):
        with pytest.raises(seen):
            await run_in(executor, work)


def test_nothing_else_hands_work_to_a_thread() -> None:
    sources = [*SOURCES.glob("libs/*/src/**/*.py"), *SOURCES.glob("services/*/src/**/*.py")]
    assert len(sources) > 100
    direct = [
        str(source.relative_to(SOURCES))
        for source in sources
        if re.search(r"run_in_executor|to_thread|wrap_future|run_in_threadpool", source.read_text())
    ]
    assert direct == ["libs/chassis/src/chassis/threads.py"]
