"""The client library's objects for one group member. They can start only once, so leaving replaces them."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from chassis.consuming.reader import Reader
from chassis.consuming.subscriber import Broker
from chassis.tasks import end

LEAVE_SECONDS = 10.0


class Member:
    """A broker and its only subscriber, created by `build`."""

    def __init__(self, build: Callable[[], tuple[Broker, Any]]) -> None:
        self._build = build
        self.broker, self._subscriber = build()

    @property
    def consumer(self) -> Reader | None:
        """The library's consumer; None before it has joined, or if the last attempt failed."""
        consumer: Reader | None = self._subscriber.consumer
        return consumer

    async def join(self) -> None:
        """Join the group.

        Raises:
            KafkaError: the broker is unavailable; the attempt is cleaned up and may be repeated.
        """
        try:
            await self.broker.start()
        except BaseException:  # also a time-out
            await self.leave()
            raise

    async def leave(self) -> None:
        """Stop the objects, ignoring errors, and create new ones."""
        await self.stop()
        self.broker, self._subscriber = self._build()

    async def stop(self, within_seconds: float = LEAVE_SECONDS) -> None:
        """Stop the objects for good, ignoring errors."""
        with contextlib.suppress(TimeoutError):
            # Not `wait_for`: it swallows a cancellation that coincides with the end of its task, and would hang.
            async with asyncio.timeout(min(within_seconds, LEAVE_SECONDS)):
                await end(self.broker.stop)
