"""From the outboxes of documents to Kafka: nothing lost, nothing reordered within a document.

Per document one entry is in flight; the next follows its acknowledgement, and a failure starts
again at the first unacknowledged one. Documents go side by side. A duplicate can appear on the
wire; a hole or an inversion of one document's events cannot. Acknowledged entries are trimmed
lazily. A sweeper finds what another process left unsent.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog
from aiokafka.errors import (
    InvalidMessageError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from chassis import metrics, telemetry
from chassis.aggregates.document import Document
from chassis.aggregates.publishing import Source
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.producer import Producer, SteadyProducer
from chassis.trimming import DocumentKey, Trimming
from contracts.envelope import Envelope

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 5.0
"""Entries older than this are no longer somebody's work in hand."""
SWEEP_LIMIT = 500
SEND_SECONDS = 20.0
"""An acknowledgement that takes longer makes the producer suspect: it is built anew."""
WATCH_SECONDS = 1.0
STUCK_SECONDS = 60.0
"""So long after Kafka refused it a stuck document is tried again: its settings may have changed."""
BACKOFF_SECONDS = (0.1, 5.0)

_REFUSED_FOR_GOOD = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidMessageError,
    InvalidTopicError,
)
"""What lies in the entry itself. A right that is missing is the broker's condition: it is waited for, and seen."""


@dataclass
class _Sending:
    """One document's entries on their way."""

    source: Source
    id: str
    key: str
    entries: deque[Document] = field(default_factory=deque)
    offered: deque[float] = field(default_factory=deque)
    """Since when each entry waits."""
    stuck_at: float | None = None
    """Since when Kafka refuses its first entry for good."""
    given_up: str = ""
    """The id of that entry."""
    handed: tuple[Producer, float] | None = None
    """Who has its first entry, unacknowledged, and since when."""
    task: asyncio.Task[None] | None = None

    def add(self, entries: Sequence[Document], now: float) -> None:
        self.entries.extend(entries)
        self.offered.extend([now] * len(entries))

    def acknowledge(self) -> None:
        self.entries.popleft()
        self.offered.popleft()


class Publisher:
    """The one publisher of a process."""

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
        self._max_unsent = max_unsent
        self._max_unsent_seconds = max_unsent_seconds
        self._sources: list[Source] = []
        self._sending: dict[DocumentKey, _Sending] = {}
        self._trimming = Trimming(clock, busy=self._sending.__contains__)
        self._unsent = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._housekeeping: list[asyncio.Task[None]] = []

    def watch(self, source: Source) -> None:
        """Sweep this source for unsent events, at start and from time to time."""
        self._sources.append(source)

    async def start(self) -> None:
        """Connect in the background: work that needs no broker does not wait for it.

        Raises:
            ValueError, RuntimeError: the producer's settings are wrong.
        """
        metrics.UNSENT.set_function(lambda: self._unsent)
        metrics.OLDEST_UNSENT_SECONDS.set_function(self._oldest_age)
        metrics.DOCUMENTS_STUCK.set_function(lambda: sum(each.stuck_at is not None for each in self._sending.values()))
        self._producer.start()
        self._housekeeping = [
            asyncio.create_task(self._watch_for_ever()),
            asyncio.create_task(self._trimming.run()),
            asyncio.create_task(self._sweep_for_ever()),
        ]

    async def stop(self, within_seconds: float) -> None:
        """Send what is unsent, as far as time allows, trim it, and disconnect."""
        self._producer.close()
        tasks = set(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=within_seconds)
        for task in (*self._tasks, *self._housekeeping):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._housekeeping, return_exceptions=True)
        with contextlib.suppress(Exception):  # what stays is trimmed by the next process
            await asyncio.wait_for(self._trimming.trim_all(), within_seconds)
        await self._producer.stop(within_seconds)

    @property
    def unsent(self) -> int:
        """Entries offered and not acknowledged, those of stuck documents aside."""
        return self._unsent

    @property
    def oldest_unsent_seconds(self) -> float:
        """For how long the longest waiting entry has waited, those of stuck documents aside."""
        now = self._clock.monotonic()
        return max(
            (now - sending.offered[0] for sending in self._sending.values() if sending.stuck_at is None), default=0.0
        )

    def _oldest_age(self) -> float:
        """The age of the oldest unsent entry: since it was saved, also where another process saved it."""
        waiting = [each.entries[0]["time"] for each in self._sending.values() if each.entries and each.stuck_at is None]
        return max(0.0, (self._clock.now() - min(waiting)).total_seconds()) if waiting else 0.0

    @property
    def overloaded(self) -> bool:
        """Whether consumption should pause and doors should answer 503."""
        return self._unsent > self._max_unsent or self.oldest_unsent_seconds > self._max_unsent_seconds

    def acknowledged(self, source: Source, id_: str) -> int:
        """The highest acknowledged sequence number of a document that is still to be trimmed."""
        return self._trimming.acknowledged((id(source), id_))

    def offer(self, source: Source, id_: str, key: str, entries: Sequence[Document]) -> None:
        """Publish a stored outbox; entries that are acknowledged or on their way already are left out."""
        document = (id(source), id_)
        sending = self._sending.get(document)
        last = sending.entries[-1]["seq"] if sending else self._trimming.acknowledged(document)
        new = [entry for entry in entries if entry["seq"] > last]
        if not new:
            return
        now = self._clock.monotonic()
        if sending is not None:
            sending.add(new, now)
            self._unsent += 0 if sending.stuck_at is not None else len(new)
            return
        self._unsent += len(new)
        self._sending[document] = sending = _Sending(source, id_, key)
        sending.add(new, now)
        self._start(document)

    def _start(self, document: DocumentKey) -> None:
        self._sending[document].task = task = asyncio.create_task(self._drain(document))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _again(self, document: DocumentKey, ended: asyncio.Task[None]) -> None:
        """Go on with a document whose sending was taken back; never two at a time."""
        if ended.cancelled() and not self._producer.closing:
            self._start(document)

    async def _drain(self, document: DocumentKey) -> None:
        """Send one document's entries one after the other until none is left."""
        sending = self._sending[document]
        pause = BACKOFF_SECONDS[0]
        while sending.entries:
            entry = sending.entries[0]
            try:
                await self._send(sending, entry)
            except _REFUSED_FOR_GOOD as error:
                self._give_up(sending, entry, error)
                return
            except (KafkaError, OSError) as error:
                metrics.INFRASTRUCTURE_FAILURES.labels("publish").inc()
                log.warning("publish_failed", event_id=entry["id"], error=repr(error), retry_in=pause)
                await self._clock.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
                pause = min(pause * 2, BACKOFF_SECONDS[1])
                continue
            except Exception as error:
                self._give_up(sending, entry, error)
                return
            pause = BACKOFF_SECONDS[0]
            sending.acknowledge()
            self._unsent -= 1
            self._trimming.acknowledge(sending.source, sending.id, entry["seq"])
            metrics.EVENTS_PUBLISHED.labels(sending.source.topic).inc()
        del self._sending[document]

    def _give_up(self, sending: _Sending, entry: Document, error: Exception) -> None:
        """Leave one document alone, with an alarm: the rest flows, and a process with other settings may mend it."""
        if sending.given_up != entry["id"]:
            sending.given_up = entry["id"]
            metrics.STUCK_DOCUMENTS.inc()
        sending.stuck_at = self._clock.monotonic()
        self._unsent -= len(sending.entries)
        log.error("event_refused_for_good", event_id=entry["id"], error=repr(error))

    async def _send(self, sending: _Sending, entry: Document) -> None:
        producer = await self._producer.get()
        topic = sending.source.topic
        # Each entry under the key it was decided under; an older release did not store it.
        key = entry.get("key", sending.key)
        with telemetry.send_span(topic, entry["trace"], entry["id"], cause=entry.get("cause_trace", {})) as trace:
            envelope = Envelope(
                id=entry["id"],
                source=self._source,
                type=entry["type"],
                time=entry["time"],
                subject=sending.id,
                sequence=entry["seq"],
                partitionkey=key,
                causationid=entry["cause"],
                actor=entry["by"],
                trace=trace,
            )
            headers = envelope.headers()
            sending.handed = (producer, self._clock.monotonic())
            try:
                passage("publish.before")
                acknowledgement = await producer.send(topic, entry["data"].encode(), key=key.encode(), headers=headers)
                passage("publish.sent")
                await acknowledgement
                passage("publish.after")
            except _REFUSED_FOR_GOOD:
                raise
            except (KafkaError, OSError):
                self._producer.suspect(producer)
                raise
            finally:
                sending.handed = None

    async def _watch_for_ever(self) -> None:
        """Take back what was not acknowledged in time, and send it again by another producer.

        One look over all: a timeout of its own would cost each event more than its way to the broker.
        """
        while True:
            await self._clock.sleep(WATCH_SECONDS)
            now = self._clock.monotonic()
            for document, sending in self._sending.items():
                if sending.handed is None or now - sending.handed[1] <= SEND_SECONDS or sending.task is None:
                    continue
                metrics.INFRASTRUCTURE_FAILURES.labels("publish").inc()
                log.warning("not_acknowledged", event_id=sending.entries[0]["id"], seconds=SEND_SECONDS)
                self._producer.suspect(sending.handed[0])
                sending.handed = None
                sending.task.add_done_callback(partial(self._again, document))
                sending.task.cancel()

    async def _sweep_for_ever(self) -> None:
        # At start everything unsent counts as left behind: what a killed predecessor saved goes out at once.
        age = timedelta(0)
        while True:
            for source in self._sources:
                try:
                    found = await source.unsent(age, SWEEP_LIMIT)
                    if found:
                        passage("sweep.found")
                    for unsent in found:
                        self.offer(source, unsent.id, unsent.key, unsent.entries)
                except Exception as error:
                    log.warning("sweep_failed", topic=source.topic, error=repr(error))
            self._retry_stuck()
            await self._clock.sleep(SWEEP_SECONDS)
            age = timedelta(seconds=SWEEP_SECONDS)

    def _retry_stuck(self) -> None:
        """Try again what was refused a while ago; the whole outbox of such a document has waited since."""
        now = self._clock.monotonic()
        for document, sending in self._sending.items():
            if sending.stuck_at is not None and now - sending.stuck_at >= STUCK_SECONDS:
                sending.stuck_at = None
                sending.offered = deque([now] * len(sending.entries))
                self._unsent += len(sending.entries)
                self._start(document)
