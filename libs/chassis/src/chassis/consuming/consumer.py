"""The consumer of a service: FastStream's loop, with our acknowledgement and back-off.

Keeps: an offset is committed only after every delivery before it has an outcome. After an infrastructure failure the
consumer seeks back to the start of the batch and pauses all partitions, while polling continues so that the group sees
a live member. The library's own defaults are not used: they acknowledge first, commit positions instead of results, and
lose a record whose header is not text.
"""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from chassis.clock import Clock
from chassis.consuming.commits import Commits
from chassis.consuming.lag import Lag
from chassis.consuming.member import Member
from chassis.consuming.progress import STALL_SECONDS, Progress
from chassis.consuming.reader import Positions, Reader
from chassis.consuming.rest import Rest
from chassis.consuming.subscriber import Broker, Membership
from chassis.delivery import RawRecord
from chassis.failpoints import passage
from chassis.failures import log_failure
from chassis.grace import Grace
from chassis.tasks import cancel
from chassis.telemetry import metrics

log = structlog.get_logger(__name__)

CARE_SECONDS = 1.0

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
        """Number of assignments so far; records read under an earlier one are delivered again automatically."""
        self._given = False
        """Whether partitions are assigned and not being revoked."""
        self._rest = Rest(clock)
        self._lag = Lag(clock)
        self._progress = Progress(clock)
        self._watched_at = 0.0
        self._care: asyncio.Task[None] | None = None
        self._closing = False
        self._anew = False
        self._membership = Membership(topics, group, instance, connection, session_timeout_ms, max_records, wait_ms)
        self._member = Member(self._build)

    def _build(self) -> tuple[Broker, Any]:
        return self._membership.subscriber(self._on_batch, self, self._drain_seconds, self._on_poll)

    async def start(self) -> None:
        """Join the group.

        Raises:
            KafkaError: the broker is unavailable; the attempt is cleaned up and may be repeated.
        """
        await self._member.join()
        self._progress.moved()
        metrics.LAG_SECONDS.set_function(lambda: self._lag.seconds)
        metrics.LAG_RECORDS.set_function(lambda: self._lag.records)
        metrics.CONSUMER_RESTS.set_function(lambda: self._rest.lasts)
        metrics.CONSUMER_PARTITIONS.set_function(lambda: self.assigned)
        self._care = asyncio.create_task(self._care_for_ever())

    async def stop(self, within_seconds: float = math.inf) -> None:
        """Finish the current batch, commit it and leave the group, as far as time allows."""
        grace = Grace(within_seconds, self._clock).begin()
        self._closing = True
        if self._care is not None:
            await cancel([self._care])
        await self._settle(grace)
        await self._member.stop(grace.left())

    async def _settle(self, grace: Grace) -> None:
        """Finish the current batch and commit it; each may take half a session, within the grace."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), min(self._drain_seconds, grace.left()))
        if (consumer := self._consumer) is not None:
            # During a rebalance the library retries the commit until it ends; without a commit the batch comes again.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._commits.commit(consumer), min(self._drain_seconds, grace.left()))

    def start_anew(self) -> None:
        """Rejoin the group soon, for a new assignment: the library and the group would both keep the old one."""
        self._anew = True

    @property
    def assigned(self) -> int:
        """How many partitions are assigned to this member."""
        consumer = self._consumer
        return len(consumer.assignment()) if consumer is not None else 0

    def stalled(self) -> str | None:
        """A sentence if there is work and no progress; otherwise None."""
        if self._rest.lasts:
            return None
        return self._progress.stalled(in_hand=not self._idle.is_set(), waiting=self._lag.records)

    @property
    def _consumer(self) -> Reader | None:
        return self._member.consumer

    def _on_poll(self, positions: Positions) -> None:
        """Everything before the positions is resolved, will be read again after a seek, or yields no records."""
        if self._given and not self._closing:
            self._commits.passed(positions)

    async def _on_batch(self, records: list[RawRecord]) -> None:
        """FastStream's handler. Never raises: after a failure it seeks back."""
        consumer = self._consumer
        if consumer is None or self._closing or not records:
            return
        self._idle.clear()
        self._lag.took(records)
        try:
            # The library's context references the batch. Anything started in it (a commit, a connection, a hand-over)
            # would keep the batch alive, so the work runs in an empty context.
            await asyncio.create_task(self._work_off(records, consumer, self._assignments), context=Context())
        finally:
            self._idle.set()

    async def _work_off(self, records: list[RawRecord], consumer: Reader, assignment: int) -> None:
        """Process a batch that was read under an assignment, then commit its offsets or seek back."""
        try:
            if self._overloaded():
                self._take_rest(consumer, records, "the outbox is full", assignment)
                return
            passage("batch.read")
            await self._process(records)
        except Exception as error:
            metrics.INFRASTRUCTURE_FAILURES.labels("consume").inc()
            log_failure(log, "batch_failed", error, records=len(records))
            self._take_rest(consumer, records, repr(error), assignment)
        else:
            self._rest.resolved()
            self._progress.moved()
            self._lag.resolved(records)
            if assignment == self._assignments:  # otherwise another member may be further, and the group be set back
                self._commits.resolved(records)
            self._commits.commit_soon(consumer)

    def _take_rest(self, consumer: Reader, records: Sequence[RawRecord], why: str, assignment: int) -> None:
        """Pause all partitions; records read under another assignment are delivered again automatically."""
        self._rest.begin(consumer, records if assignment == self._assignments else (), why)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish the current batch before the partitions move to another member."""
        if not revoked:
            return
        self._given = False
        await self._settle(Grace(math.inf, self._clock))
        self._commits.forget()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """A new assignment ends a pause: the failed records may now belong to another member."""
        self._assignments += 1
        self._on_assigned()
        self._commits.forget()
        self._given = True
        self._lag.assigned(assigned)
        self._rest.forget()
        self._progress.moved()

    async def _care_for_ever(self) -> None:
        while True:
            await self._clock.sleep(0.1 if self._rest.lasts else CARE_SECONDS)
            try:
                await self._take_care()
            except Exception as error:  # this loop must not end: nothing else ends a pause or restarts a dead consumer
                log_failure(log, "consumer_care_failed", error)

    async def _take_care(self) -> None:
        asked = self._anew and self._idle.is_set()
        if (consumer := self._consumer) is None or asked:  # None: the last attempt to join failed
            await self._restart()
            return
        self._resume(consumer)
        await self._commits.commit(consumer)
        if self._clock.monotonic() - self._watched_at >= CARE_SECONDS:
            self._watched_at = self._clock.monotonic()
            await self._watch(consumer)

    def _resume(self, consumer: Reader) -> None:
        if self._rest.is_over and not self._overloaded():
            self._rest.end(consumer)
            self._progress.moved()  # a pause does not count as hanging, however long it was

    async def _watch(self, consumer: Reader) -> None:
        """Update the lag; restart the consumer if it hangs silently."""
        assigned = consumer.assignment()
        unread = await self._lag.ask(consumer, assigned)
        if unread is None or self._rest.lasts or not self._progress.is_late or not self._idle.is_set():
            return
        if unread or not assigned:
            log.error("consumer_hangs", idle_seconds=round(self._progress.idle_seconds))
            self._anew |= not assigned
            await self._restart()
        else:
            self._progress.moved()

    async def _restart(self) -> None:
        log.info("consumer_starts_anew", forgotten=self._anew)
        metrics.CONSUMER_RESTARTS.inc()
        self._given = False
        await self._member.leave()
        self._commits.forget()
        self._rest.forget()
        if self._anew:
            # A static member that returns within its session gets its old assignment, even if topics have changed.
            await self._clock.sleep(self._forgotten_seconds)
        async with asyncio.timeout(STALL_SECONDS):
            await self._member.join()
        self._progress.moved()
        self._anew = False
