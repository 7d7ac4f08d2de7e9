"""Progress lines of the launcher, so that nothing that takes over two seconds is silent."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

Report = Callable[[str], None]
"""Takes one line for the user."""

REPEAT_SECONDS = 5.0


def silent(_: str) -> None:
    """A report that is discarded."""


@contextlib.asynccontextmanager
async def step(report: Report, what: str) -> AsyncIterator[None]:
    """Report a step when it starts, every few seconds while it runs, and with its duration when it succeeds."""
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
        report(f"{what}: still working after {time.monotonic() - started:.0f} s")
