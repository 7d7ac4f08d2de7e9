"""Sends the events of a load's partners as a real system would: one request at a time, with all queued events.

Under low load each event is sent alone and at once; if the door is slow, events queue up and the next request sends
them as a batch.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from trade_cli.doors import Doors
from trade_cli.platform import CliError

LARGEST_BATCH = 100

_Waiting = tuple[Mapping[str, Any], "asyncio.Future[None]"]


class PartnerPosts:
    """The senders of all partners, by key."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._waiting: dict[str, list[_Waiting]] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}

    async def tell(self, key: str, event: Mapping[str, Any]) -> None:
        """Submit an event; it is accepted when this returns.

        Raises:
            CliError: the gateway refuses it, or does not accept it in time.
        """
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append((event, taken))
        sender = self._senders.get(key)
        if sender is None or sender.done():
            self._senders[key] = asyncio.create_task(self._send(key))
        await taken

    async def _send(self, key: str) -> None:
        waiting = self._waiting[key]
        while waiting:
            batch = waiting[:LARGEST_BATCH]
            del waiting[:LARGEST_BATCH]
            try:
                problems = await self._doors.tell_all(key, [event for event, _ in batch])
            except CliError as error:
                problems = [str(error)] * len(batch)
            for (_, taken), problem in zip(batch, problems, strict=True):
                if taken.done():
                    continue  # its shipment was cancelled meanwhile
                if problem is None:
                    taken.set_result(None)
                else:
                    taken.set_exception(CliError(problem))
