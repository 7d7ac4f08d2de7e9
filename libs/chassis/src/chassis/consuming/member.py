"""The client library's parts of one member of a consumer group. They start only once: whoever leaves gets new ones."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from chassis.consuming.reader import Reader
from chassis.consuming.subscriber import Broker
from chassis.tasks import end

LEAVE_SECONDS = 10.0


class Member:
    """A broker and its one subscriber, as `build` makes them."""

    def __init__(self, build: Callable[[], tuple[Broker, Any]]) -> None:
        self._build = build
        self.broker, self._subscriber = build()

    @property
    def consumer(self) -> Reader | None:
        """The library's consumer; None before it joined, and where the last attempt failed."""
        consumer: Reader | None = self._subscriber.consumer
        return consumer

    async def join(self) -> None:
        """Join the group.

        Raises:
            KafkaError: the broker is away; nothing is left of the attempt, and it may be made again.
        """
        try:
            await self.broker.start()
        except BaseException:  # also where it took too long
            await self.leave()
            raise

    async def leave(self) -> None:
        """Stop the parts, whatever they answer, and put new ones in their place."""
        await self.stop()
        self.broker, self._subscriber = self._build()

    async def stop(self, within_seconds: float = LEAVE_SECONDS) -> None:
        """Stop the parts for good, whatever they answer."""
        with contextlib.suppress(TimeoutError):
            # Not `wait_for`: it swallows a cancellation that meets the end of what it waits for, and would hang.
            async with asyncio.timeout(min(within_seconds, LEAVE_SECONDS)):
                await end(self.broker.stop)
