"""The producer of a process: connected in the background, and replaced when it is suspect."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import structlog
from aiokafka.errors import (
    InvalidMessageError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from chassis.backoff import Backoff
from chassis.clock import Clock
from chassis.tasks import end
from chassis.telemetry import metrics

log = structlog.get_logger(__name__)

RETIRE_SECONDS = 1.0
"""How long a suspect producer may flush before its replacement is built."""
_BACKOFF_SECONDS = (0.1, 5.0)


REFUSED_FOR_GOOD = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidMessageError,
    InvalidTopicError,
)
"""Errors caused by the record itself. A missing ACL is not one of them: that is the broker's condition, and retried."""


class Message(NamedTuple):
    """A record to be sent, without its key."""

    value: bytes
    headers: Sequence[tuple[str, bytes]]


Heard = Callable[[BaseException | None], None]
"""Called with a producer's answer: None when all replicas have the messages, otherwise the error. Must not raise.

A future per event would cost more than encoding the event's headers.
"""


class Producer(Protocol):
    """Sends messages to the broker."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def send(self, topic: str, key: bytes, messages: Sequence[Message], heard: Heard, *, alone: bool = False) -> None:
        """Send messages of one key, to be appended consecutively or not at all.

        They may share a batch with others, and the broker refuses a whole batch; with `alone`, a refusal concerns
        these messages only.

        Args:
            heard: called exactly once, after this has returned.
        """
        ...


class SteadyProducer:
    """The current producer of a process."""

    def __init__(self, make: Callable[[], Producer], clock: Clock) -> None:
        self._make = make
        self._clock = clock
        self._current: Producer | None = None
        self._ready = asyncio.Event()
        self._building: asyncio.Task[None] | None = None
        self._retired: set[asyncio.Task[None]] = set()
        self.closing = False
        """Whether no replacement is built any more."""

    def start(self) -> None:
        """Connect in the background, so that work that needs no broker can start.

        Raises:
            ValueError, RuntimeError: the producer's settings are wrong.
        """
        self._building = asyncio.create_task(self._connect(self._make()))

    async def get(self) -> Producer:
        """The current producer; waits while there is none."""
        while (current := self._current) is None:  # the one just connected may already be suspect
            await self._ready.wait()
        return current

    def suspect(self, producer: Producer) -> None:
        """Replace the producer, once per producer: an idempotent one can get stuck for good."""
        if self._current is producer and not self.closing:
            metrics.PRODUCER_REBUILDS.inc()
            self._ready.clear()
            self._current = None
            self._building = asyncio.create_task(self._rebuild(producer))

    def close(self) -> None:
        """Build no replacement from now on."""
        self.closing = True

    async def stop(self, within_seconds: float) -> None:
        """Disconnect, as far as time allows."""
        self.close()
        for task in (*self._retired, *((self._building,) if self._building else ())):
            task.cancel()
        if self._current is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(end(self._current.stop), within_seconds)

    async def _rebuild(self, old: Producer) -> None:
        retiring = asyncio.create_task(end(old.stop))
        self._retired.add(retiring)
        retiring.add_done_callback(self._retired.discard)
        # If cancelled, it would never close its connections: it may end late, when the broker is back.
        await asyncio.wait({retiring}, timeout=RETIRE_SECONDS)
        await self._connect(self._make())

    async def _connect(self, producer: Producer) -> None:
        """Start a producer, a new one at each attempt, until the broker is available."""
        backoff = Backoff(*_BACKOFF_SECONDS)
        while True:
            try:
                await producer.start()
            except Exception as error:  # any error: without a producer nothing would ever be sent again
                metrics.INFRASTRUCTURE_FAILURES.labels("producer").inc()
                pause = backoff.pause()
                log.warning("broker_away", error=repr(error), retry_in=round(pause, 2))
                await end(producer.stop)
                await self._clock.sleep(pause)
                producer = self._make()
                continue
            self._current = producer
            self._ready.set()
            return
