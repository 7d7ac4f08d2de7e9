"""The consumer of a service: FastStream's loop, with our acknowledgement and back-off.

Keeps: an offset is committed only after every delivery before it has ended. A batch that meets an
infrastructure failure is sought back to and its partitions rest, while polling goes on, so that
the group sees a live member. The library's own defaults acknowledge first, commit positions
instead of results, and lose a record whose header is no text; none of them is used.
"""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from chassis.backoff import Backoff
from chassis.clock import Clock
from chassis.consuming.commits import Commits
from chassis.consuming.lag import Lag
from chassis.consuming.reader import Positions, Reader
from chassis.consuming.subscriber import Broker, Membership
from chassis.delivery.records import RawRecord, first_of_each
from chassis.failpoints import passage
from chassis.failures import log_failure
from chassis.grace import Grace
from chassis.tasks import cancel, end
from chassis.telemetry import metrics

log = structlog.get_logger(__name__)

BACKOFF_SECONDS = (0.4, 30.0)
CARE_SECONDS = 1.0
WATCH_SECONDS = 3.0
"""So long the broker may take to say where partitions end."""
LEAVE_SECONDS = 10.0
STALL_SECONDS = 45.0
"""Lag without progress for so long means that the consumer hangs: it is started anew."""

Process = Callable[[Sequence[RawRecord]], Awaitable[None]]


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of the service's consumer group, for all its topics."""

    def __init__(
        self,
        process: Process,
        *,
        topics: Sequence[str],
        group: str,
        instance: str,
        connection: Mapping[str, Any],
        clock: Clock,
        session_timeout_ms: int = 30_000,
        max_records: int = 200,
        wait_ms: int = 50,
        overloaded: Callable[[], bool] = lambda: False,
        on_assigned: Callable[[], None] = lambda: None,
    ) -> None:
        self._process = process
        self._on_assigned = on_assigned
        self._clock = clock
        self._overloaded = overloaded
        self._idle = asyncio.Event()
        self._idle.set()
        self._drain_seconds = session_timeout_ms / 1000 / 2
        self._forgotten_seconds = session_timeout_ms / 1000 + 1.0
        self._commits = Commits()
        self._assignments = 0
        """How often partitions were given out: what was read before the last time comes again by itself."""
        self._given = False
        """Whether partitions are given out, and not on their way to somebody else."""
        self._backoff = Backoff(*BACKOFF_SECONDS)
        self._resume_at: float | None = None
        self._resting = False
        self._lag = Lag(clock)
        self._watched_at = 0.0
        self._moved_at = 0.0
        self._care: asyncio.Task[None] | None = None
        self._closing = False
        self._anew = False
        self._membership = Membership(topics, group, instance, connection, session_timeout_ms, max_records, wait_ms)
        self.broker, self._subscriber = self._build()

    def _build(self) -> tuple[Broker, Any]:
        return self._membership.subscriber(self._on_batch, self, self._drain_seconds, self._on_poll)

    async def start(self) -> None:
        """Join the group.

        Raises:
            KafkaError: the broker is away; nothing is left of the attempt, and it may be made again.
        """
        await self._join()
        metrics.LAG_SECONDS.set_function(lambda: self._lag.seconds)
        metrics.LAG_RECORDS.set_function(lambda: self._lag.records)
        metrics.CONSUMER_RESTS.set_function(lambda: self._resting)
        metrics.CONSUMER_PARTITIONS.set_function(self._count_partitions)
        self._care = asyncio.create_task(self._care_for_ever())

    async def _join(self) -> None:
        try:
            await self.broker.start()
        except BaseException:  # also where it took too long
            await self._leave()
            raise
        self._moved_at = self._clock.monotonic()

    async def _leave(self) -> None:
        """Stop the library's parts, whatever they answer, and put new ones in their place: they start only once."""
        await self._end_library()
        self.broker, self._subscriber = self._build()

    async def _end_library(self, within_seconds: float = LEAVE_SECONDS) -> None:
        with contextlib.suppress(TimeoutError):
            # Not `wait_for`: it swallows a cancellation that meets the end of what it waits for, and `stop` would hang.
            async with asyncio.timeout(min(within_seconds, LEAVE_SECONDS)):
                await end(self.broker.stop)

    async def stop(self, within_seconds: float = math.inf) -> None:
        """Finish the batch in hand, commit it, leave: as far as time allows."""
        grace = Grace(within_seconds, self._clock).begin()
        self._closing = True
        if self._care is not None:
            await cancel([self._care])
        await self._settle(grace)
        await self._end_library(grace.left())

    async def _settle(self, grace: Grace) -> None:
        """Finish the batch in hand and commit it, as far as half a session, and the grace, allow for each."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), min(self._drain_seconds, grace.left()))
        if (consumer := self._consumer) is not None:
            # While the group gives partitions out anew the library tries for as long as that lasts: it comes again.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._commits.commit(consumer), min(self._drain_seconds, grace.left()))

    def start_anew(self) -> None:
        """Have partitions given out afresh, soon: the library and the group would both keep to what they know."""
        self._anew = True

    @property
    def assigned(self) -> bool:
        """Whether the group has given this member partitions."""
        consumer = self._consumer
        return consumer is not None and bool(consumer.assignment())

    def _count_partitions(self) -> int:
        consumer = self._consumer
        return len(consumer.assignment()) if consumer is not None else 0

    def stalled(self) -> str | None:
        """A sentence where there is work and no progress, None where all is well."""
        lag = self._lag.records
        idle = self._clock.monotonic() - self._moved_at
        if self._resting or idle <= 2 * STALL_SECONDS:
            return None
        if not self._idle.is_set():
            return f"a batch is in hand and was not resolved for {idle:.0f} s"
        return f"{lag} records wait and none was resolved for {idle:.0f} s" if lag else None

    @property
    def _consumer(self) -> Reader | None:
        consumer: Reader | None = self._subscriber.consumer
        return consumer

    def _on_poll(self, positions: Positions) -> None:
        """What stands before the positions is resolved, or sought back to, or nothing to resolve."""
        if self._given and not self._closing:
            self._commits.passed(positions)

    async def _on_batch(self, records: list[RawRecord]) -> None:
        """FastStream's handler. Never raises: what fails is sought back to."""
        consumer = self._consumer
        if consumer is None or self._closing or not records:
            return
        self._idle.clear()
        self._lag.took(records)
        try:
            # The library's context holds the batch. Whatever is begun in it (a commit, a connection, a hand-over) would
            # keep it for as long as that lives: the work is done in one that holds nothing.
            await asyncio.create_task(self._work_off(records, consumer, self._assignments), context=Context())
        finally:
            self._idle.set()

    async def _work_off(self, records: list[RawRecord], consumer: Reader, assignment: int) -> None:
        """Process a batch that was read under an assignment, and see to its offsets."""
        try:
            if self._overloaded():
                self._rest(consumer, records, "the outbox is full", assignment)
                return
            passage("batch.read")
            await self._process(records)
        except Exception as error:
            metrics.INFRASTRUCTURE_FAILURES.labels("consume").inc()
            log_failure(log, "batch_failed", error, records=len(records))
            self._rest(consumer, records, repr(error), assignment)
        else:
            self._backoff.reset()
            self._moved_at = self._clock.monotonic()
            self._lag.resolved(records)
            if assignment == self._assignments:  # else others may have gone on meanwhile: it would set the group back
                self._commits.resolved(records)
            self._commits.commit_soon(consumer)

    def _rest(self, consumer: Reader, records: Sequence[RawRecord], why: str, assignment: int) -> None:
        """Seek back to the batch and let all partitions rest for a while; polling goes on."""
        pause = self._backoff.pause()
        assigned = consumer.assignment()
        with contextlib.suppress(IllegalStateError):  # taken away meanwhile: its new owner has them
            for (topic, number), offset in first_of_each(records if assignment == self._assignments else ()).items():
                partition = TopicPartition(topic, number)
                if partition in assigned:
                    consumer.seek(partition, offset)
            consumer.pause(*assigned)
        self._resting = True
        self._resume_at = self._clock.monotonic() + pause
        log.info("consumption_rests", why=why, seconds=round(pause, 2))

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish the batch in hand before the partitions go to somebody else."""
        if not revoked:
            return
        self._given = False
        await self._settle(Grace(math.inf, self._clock))
        self._commits.forget()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """A new assignment ends a rest: whatever failed may be somebody else's now."""
        self._assignments += 1
        self._on_assigned()
        self._commits.forget()
        self._given = True
        self._lag.assigned(assigned)
        self._resume_at = None
        self._resting = False
        self._moved_at = self._clock.monotonic()

    async def _care_for_ever(self) -> None:
        while True:
            await self._clock.sleep(CARE_SECONDS if self._resume_at is None else 0.1)
            try:
                await self._take_care()
            except Exception as error:  # nobody else would end a rest or start a dead consumer anew
                log_failure(log, "consumer_care_failed", error)

    async def _take_care(self) -> None:
        asked = self._anew and self._idle.is_set()
        if (consumer := self._consumer) is None or asked:  # none: the last attempt failed
            await self._restart()
            return
        self._resume(consumer)
        await self._commits.commit(consumer)
        if self._clock.monotonic() - self._watched_at >= CARE_SECONDS:
            self._watched_at = self._clock.monotonic()
            await self._watch(consumer)

    def _resume(self, consumer: Reader) -> None:
        if self._resume_at is not None and self._clock.monotonic() >= self._resume_at and not self._overloaded():
            consumer.resume(*consumer.paused())
            self._resume_at = None
            self._resting = False
            self._moved_at = self._clock.monotonic()  # a rest is no hang, however long it was

    async def _watch(self, consumer: Reader) -> None:
        """Ask how far it is behind; start the consumer anew where it hangs without saying so."""
        assigned, asked_at = consumer.assignment(), self._clock.now()
        try:
            async with asyncio.timeout(WATCH_SECONDS):
                # What the fetcher saw of the ends is of its last answer: one that rests or hangs sees nothing.
                ends = await consumer.end_offsets(list(assigned)) if assigned else {}
                positions = {partition: await consumer.position(partition) for partition in assigned}
        except (KafkaError, TimeoutError) as error:
            log.info("lag_unknown", error=repr(error))
            return
        self._lag.told(ends, positions, asked_at)
        idle = self._clock.monotonic() - self._moved_at
        if self._resting or idle < STALL_SECONDS or not self._idle.is_set():
            return
        if any(ends[partition] > positions[partition] for partition in assigned) or not assigned:
            log.error("consumer_hangs", idle_seconds=round(idle))
            self._anew |= not assigned
            await self._restart()
        else:
            self._moved_at = self._clock.monotonic()

    async def _restart(self) -> None:
        log.info("consumer_starts_anew", forgotten=self._anew)
        metrics.CONSUMER_RESTARTS.inc()
        self._given = False
        await self._leave()
        self._commits.forget()
        self._resume_at = None
        self._resting = False
        if self._anew:
            # A static member that is back in time is given what it had, though its topics are others now.
            await self._clock.sleep(self._forgotten_seconds)
        async with asyncio.timeout(STALL_SECONDS):
            await self._join()
        self._anew = False
