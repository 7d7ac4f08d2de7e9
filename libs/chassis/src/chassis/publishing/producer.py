"""A producer that works: connected in the background, and built anew where it is suspect."""

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
"""So long a suspect producer may flush before the next one is built beside it."""
_BACKOFF_SECONDS = (0.1, 5.0)


REFUSED_FOR_GOOD = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidMessageError,
    InvalidTopicError,
)
"""What lies in what is sent. A right that is missing is the broker's condition: it is waited for, and seen."""


class Message(NamedTuple):
    """One record to be, but for its key."""

    value: bytes
    headers: Sequence[tuple[str, bytes]]


Heard = Callable[[BaseException | None], None]
"""Takes a producer's answer: None when all replicas have the messages, else why they may not. Must not raise.

A future would cost each event more than its own headers do.
"""


class Producer(Protocol):
    """Who brings messages to the broker."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def send(self, topic: str, key: bytes, messages: Sequence[Message], heard: Heard, *, alone: bool = False) -> None:
        """Hand over messages of one key, to stand in a row or not at all.

        Others may share their batch, and what is refused for good is refused to the whole of it: `alone` it is
        meant for these.

        Args:
            heard: called once, and not before this returns.
        """
        ...


class SteadyProducer:
    """The one producer of a process, whichever it is at the moment."""

    def __init__(self, make: Callable[[], Producer], clock: Clock) -> None:
        self._make = make
        self._clock = clock
        self._current: Producer | None = None
        self._ready = asyncio.Event()
        self._building: asyncio.Task[None] | None = None
        self._retired: set[asyncio.Task[None]] = set()
        self.closing = False
        """Whether no other producer is built any more."""

    def start(self) -> None:
        """Connect in the background: work that needs no broker does not wait for it.

        Raises:
            ValueError, RuntimeError: the producer's settings are wrong.
        """
        self._building = asyncio.create_task(self._connect(self._make()))

    async def get(self) -> Producer:
        """The producer; waits while there is none."""
        while (current := self._current) is None:  # the one that was waited for may be suspect already
            await self._ready.wait()
        return current

    def suspect(self, producer: Producer) -> None:
        """Build the producer anew, once per producer: an idempotent one can wedge for good."""
        if self._current is producer and not self.closing:
            metrics.PRODUCER_REBUILDS.inc()
            self._ready.clear()
            self._current = None
            self._building = asyncio.create_task(self._rebuild(producer))

    def close(self) -> None:
        """Build no other producer from now on."""
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
        # Cut off, it would never close its connections: it ends when it can, at latest when the broker is back.
        await asyncio.wait({retiring}, timeout=RETIRE_SECONDS)
        await self._connect(self._make())

    async def _connect(self, producer: Producer) -> None:
        """Start a producer, a new one at each attempt, until the broker is there."""
        backoff = Backoff(*_BACKOFF_SECONDS)
        while True:
            try:
                await producer.start()
            except Exception as error:  # whatever it is: without a producer nothing would ever be sent again
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
