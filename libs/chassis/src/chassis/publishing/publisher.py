"""From the outboxes of documents to Kafka: nothing lost, nothing reordered within a document.

Each document has at most one hand-over in transit: consecutive entries, which the broker appends as a whole or not at
all. The next one follows its acknowledgement, and after a failure it starts again at the first unacknowledged entry.
Documents are published in parallel. Duplicates are possible; a gap or wrong order of one document's events is not.
Acknowledged entries are trimmed lazily. A sweeper finds events that another process left unsent.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from functools import lru_cache, partial
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from chassis.aggregates.document import OutboxEntry
from chassis.aggregates.publishing import Source
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.grace import Grace
from chassis.publishing.backlog import Backlog
from chassis.publishing.hand_over import HandOver, Sending
from chassis.publishing.producer import REFUSED_FOR_GOOD, Producer, SteadyProducer
from chassis.publishing.sweeping import Sweeper
from chassis.publishing.trimming import Trimming
from chassis.tasks import cancel
from chassis.telemetry import metrics

log = structlog.get_logger(__name__)

SEND_SECONDS = 20.0
"""If an acknowledgement takes longer, the producer is suspect and is replaced."""
WATCH_SECONDS = 1.0
STUCK_SECONDS = 60.0
"""When to retry a stuck document: Kafka's settings may have changed."""

_published = lru_cache(64)(metrics.EVENTS_PUBLISHED.labels)
"""Counters by topic, cached: looking the labels up costs more than counting."""


class Publisher:
    """The publisher of a process."""

    def __init__(
        self,
        producer: Callable[[], Producer],
        clock: Clock,
        *,
        source: str,
        max_unsent: int = 2000,
        max_unsent_seconds: float = 30.0,
    ) -> None:
        self._producer = SteadyProducer(producer, clock)
        self._clock = clock
        self._source = source
        self._sweeper = Sweeper(self.offer, clock)
        self._backlog = Backlog(clock, max_unsent=max_unsent, max_unsent_seconds=max_unsent_seconds)
        self._sending = self._backlog.sendings
        self._trimming = Trimming(clock, busy=self._sending.__contains__)
        self._ready: list[Sending] = []
        """Documents whose next entries may be sent."""
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def watch(self, source: Source) -> None:
        """Sweep this source for unsent events, at start and periodically."""
        self._sweeper.sources.append(source)

    async def start(self) -> None:
        """Connect in the background, so that work that needs no broker can start.

        Raises:
            ValueError, RuntimeError: the producer's settings are wrong.
        """
        self._backlog.show()
        self._producer.start()
        for work in (self._hand_over_for_ever, self._watch_for_ever, self._trimming.run, self._sweeper.run):
            self._run(work())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self, within_seconds: float) -> None:
        """Send unsent events as far as time allows, trim, and disconnect."""
        grace = Grace(within_seconds, self._clock).begin()
        self._producer.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._backlog.until_empty(), grace.left())
        await cancel(self._tasks)
        for sending in self._sending.values():
            sending.end_hand_over(TimeoutError("not acknowledged before the end"))  # the next process sends it
        with contextlib.suppress(Exception):  # the next process trims the rest
            await asyncio.wait_for(self._trimming.trim_all(), grace.left())
        await self._producer.stop(grace.left())

    @property
    def unsent(self) -> int:
        """Number of unacknowledged entries, without those of stuck documents."""
        return self._backlog.unsent

    @property
    def overloaded(self) -> bool:
        """Whether consumption should pause and doors should answer 503."""
        return self._backlog.is_too_much

    def acknowledged(self, source: Source, id_: str) -> int:
        """The highest acknowledged sequence number of a document that is not trimmed yet."""
        return self._trimming.acknowledged((id(source), id_))

    def offer(self, source: Source, id_: str, key: str, entries: Sequence[OutboxEntry]) -> None:
        """Publish a stored outbox, skipping entries that are already acknowledged or in transit."""
        document = (id(source), id_)
        sending = self._sending.get(document)
        last = sending.entries[-1]["seq"] if sending else self._trimming.acknowledged(document)
        new = [entry for entry in entries if entry["seq"] > last]
        if not new:
            return
        if sending is None:
            self._sending[document] = sending = Sending(document, source, key)
            self._make_ready(sending)
        sending.add(new, self._clock.monotonic())
        if sending.stuck_at is None:
            self._backlog.count(len(new))

    def _make_ready(self, sending: Sending) -> None:
        self._ready.append(sending)
        self._wake.set()

    async def _hand_over_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            producer = await self._producer.get()
            self._wake.clear()
            self._hand_over_ready(producer)

    def _hand_over_ready(self, producer: Producer) -> None:
        ready, self._ready = self._ready, []
        for sending in ready:
            self._hand_over(sending, producer)

    def _hand_over(self, sending: Sending, producer: Producer) -> None:
        """Send a document's next entries."""
        sending.handed = handed = HandOver(producer, self._clock.monotonic())
        try:
            handed.entries = sending.next()
            passage("publish.before")
            messages = [handed.message(sending, entry, self._source) for entry in handed.entries]
            key = sending.key_of(handed.entries[0])
            heard = partial(self._hear, sending, handed)
            producer.send(sending.source.topic, key.encode(), messages, heard, alone=sending.alone > 0)
            passage("publish.sent")
        except Exception as error:
            self._answered(sending, handed, error)

    def _hear(self, sending: Sending, handed: HandOver, error: BaseException | None) -> None:
        """Handle the producer's answer for a hand-over."""
        if sending.handed is not handed:
            return  # it was taken back meanwhile, and will be sent again
        if error is None:
            try:
                passage("publish.after")
            except Exception as lost:
                error = lost
        self._answered(sending, handed, error)

    def _answered(self, sending: Sending, handed: HandOver, error: BaseException | None) -> None:
        """Continue after the acknowledged entries, or retry."""
        sending.end_hand_over(error)
        match error:
            case None:
                self._acknowledged(sending, len(handed.entries))
            case KafkaError() | OSError() if not isinstance(error, REFUSED_FOR_GOOD):
                self._failed(sending, handed, error)
            case _:
                self._refused(sending, handed, error)

    def _acknowledged(self, sending: Sending, count: int) -> None:
        sending.backoff.reset()
        seq = sending.acknowledge(count)
        self._backlog.count(-count)
        self._trimming.acknowledge(sending.source, sending.document[1], seq)
        _published(sending.source.topic).inc(count)
        if sending.entries:
            self._make_ready(sending)
        else:
            del self._sending[sending.document]

    def _failed(self, sending: Sending, handed: HandOver, error: BaseException) -> None:
        """Retry later, with another producer."""
        metrics.INFRASTRUCTURE_FAILURES.labels("publish").inc()
        pause = sending.backoff.pause()
        log.warning("publish_failed", event_id=handed.entries[0]["id"], error=repr(error), retry_in=round(pause, 2))
        self._producer.suspect(handed.producer)
        self._run(self._make_ready_after(pause, sending))

    async def _make_ready_after(self, seconds: float, sending: Sending) -> None:
        await self._clock.sleep(seconds)
        self._make_ready(sending)

    def _refused(self, sending: Sending, handed: HandOver, error: BaseException) -> None:
        """Find out whether Kafka refuses this entry or another one in its batch."""
        if isinstance(error, REFUSED_FOR_GOOD):
            # An idempotent producer has counted the refused records, so all later ones would fail.
            self._producer.suspect(handed.producer)
        if sending.alone:
            self._give_up(sending, error)
        else:
            sending.alone = max(len(handed.entries), 1)  # none: the messages could not even be built
            self._make_ready(sending)

    def _give_up(self, sending: Sending, error: BaseException) -> None:
        """Mark one document as stuck, with an alarm; all others continue, and a later retry may succeed."""
        if sending.give_up(self._clock.monotonic()):
            metrics.STUCK_DOCUMENTS.inc()
        self._backlog.count(-len(sending.entries))
        log.error("event_refused_for_good", event_id=sending.given_up, error=repr(error))

    async def _watch_for_ever(self) -> None:
        """Take back hand-overs not acknowledged in time, and send them again with another producer.

        One check covers all: a time-out per event would cost more than sending the event.
        """
        while True:
            await self._clock.sleep(WATCH_SECONDS)
            now = self._clock.monotonic()
            for sending in self._sending.values():
                handed = sending.handed
                if handed is not None and now - handed.since > SEND_SECONDS and not self._producer.closing:
                    self._take_back(sending, handed)
            self._retry_stuck(now)

    def _take_back(self, sending: Sending, handed: HandOver) -> None:
        metrics.INFRASTRUCTURE_FAILURES.labels("publish").inc()
        log.warning("not_acknowledged", event_id=handed.entries[0]["id"], seconds=SEND_SECONDS)
        self._producer.suspect(handed.producer)
        sending.end_hand_over(TimeoutError("not acknowledged"))
        self._make_ready(sending)

    def _retry_stuck(self, now: float) -> None:
        """Retry stuck documents, with their whole outboxes."""
        for sending in self._sending.values():
            if sending.stuck_at is not None and now - sending.stuck_at >= STUCK_SECONDS:
                sending.try_again(now)
                self._backlog.count(len(sending.entries))
                self._make_ready(sending)
