"""Measures how long it takes until no work is left after a load ends."""

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
"""Time for which no work must be left, because an event just read may lead to another one."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The result of waiting for the end of all work."""

    seconds: float
    """Seconds until no work was left; the whole patience if some was."""
    last: Mapping[str, float]
    """The work found by the last poll that found any."""
    left: Mapping[str, float]
    """The work left when patience ended."""


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
    """Work left according to the services' gauges; mails from the database, since no gauge counts those not due yet."""
    waiting = (await scrape(platform)).waiting
    due = {"due_at": {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}}
    if mails := await client["notifications"]["notices"].count_documents(due):
        waiting["notifications mails"] = mails
    return waiting
