"""What a partner of the load tells, as its own system would send it: one post at a time, with all that came meanwhile.

With little to tell every event goes alone and at once; where the door is slow, events gather, and the next post takes
them together.
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
        """Submit an event; it is taken when this returns.

        Raises:
            CliError: the gateway refuses it, or does not take it within the doors' patience.
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
                    continue  # its shipment was given up meanwhile
                if problem is None:
                    taken.set_result(None)
                else:
                    taken.set_exception(CliError(problem))
