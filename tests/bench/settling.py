"""What is still on its way when a load ends, and how long it takes until nothing is."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient

from bench.scrape import scrape
from trade_cli.platform import Platform

PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.25
STILL_SECONDS = 2.0
"""So long nothing waits any more: an event that was just read may have made the next one."""


@dataclass(frozen=True, slots=True)
class Settled:
    """How a load was worked off."""

    seconds: float
    """Until nothing waited; the whole patience where something still did."""
    last: Mapping[str, float]
    """What waited at the last look that saw something."""
    left: Mapping[str, float]
    """What still waited when patience ended."""


async def settle(platform: Platform, patience_seconds: float = PATIENCE_SECONDS) -> Settled:
    """Wait until lag, unsent events, overdue timers, pending work and mails to be sent are all zero, and stay so."""
    begun = time.monotonic()
    last_busy, last = begun, dict[str, float]()
    async with AsyncMongoClient[dict[str, Any]](platform.mongo_url) as client:
        while True:
            now, waiting = time.monotonic(), await _waiting(platform, client)
            if waiting:
                last_busy, last = time.monotonic(), waiting
            elif now - last_busy > STILL_SECONDS:
                return Settled(last_busy - begun, last, {})
            if now - begun > patience_seconds:
                return Settled(patience_seconds, last, waiting)
            await asyncio.sleep(LOOK_SECONDS)


async def _waiting(platform: Platform, client: AsyncMongoClient[dict[str, Any]]) -> dict[str, float]:
    """As the services tell it; mails by what is stored, since no gauge counts those that are not due yet."""
    waiting = (await scrape(platform)).waiting
    due = {"due_at": {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}}
    if mails := await client["notifications"]["notices"].count_documents(due):
        waiting["notifications mails"] = mails
    return waiting
