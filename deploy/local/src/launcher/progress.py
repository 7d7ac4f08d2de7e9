"""Lines that say what the launcher is doing, so that nothing over two seconds is silent."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

Report = Callable[[str], None]
"""Takes one line for the user."""

REPEAT_SECONDS = 5.0


def silent(_: str) -> None:
    """A report that nobody reads."""


@contextlib.asynccontextmanager
async def step(report: Report, what: str) -> AsyncIterator[None]:
    """Report a step as it starts, every few seconds while it lasts, and with its time when it ended well."""
    started = time.monotonic()
    report(f"{what} ...")
    ticking = asyncio.create_task(_tick(report, what, started))
    try:
        yield
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
    report(f"{what}: done in {time.monotonic() - started:.1f} s")


async def _tick(report: Report, what: str, started: float) -> None:
    while True:
        await asyncio.sleep(REPEAT_SECONDS)
        report(f"{what}: still at it after {time.monotonic() - started:.0f} s")
