"""Deadlines: applies a command to a due document once every record that came in time has been read.

A timer fires only if the group has resolved all records that were on its topics when the deadline passed, nothing is
parked for the document or its key, and this process's clock agrees with the database's. Any replica may fire it: the
compare-and-set lets one win, and the cause `<id>/<timer>/<due_at>` is applied once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

import structlog
from aiokafka import TopicPartition

from chassis.aggregates import Aggregates, Blocked, Conflict, Failed, Input, Outcome
from chassis.aggregates.document import Document
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.failures import log_failure
from chassis.parking import Locked
from chassis.telemetry import metrics
from chassis.waiting.alarm import Alarm
from chassis.waiting.ready import unlocked, without_parked

S = TypeVar("S")
C = TypeVar("C")

INTERVAL_SECONDS = 0.5
"""Seconds between two checks while a timer is due but may not fire yet."""
BATCH = 200
CLOCK_TOLERANCE = timedelta(seconds=5)

_MILLISECOND = timedelta(milliseconds=1)
"""The database's time resolution."""

log = structlog.get_logger(__name__)


class DeadlineStands(Exception):
    """A deadline fired, and the decision did not move it."""


class Progress(Protocol):
    async def ends(self) -> Mapping[TopicPartition, int]: ...

    async def reached(self, ends: Mapping[TopicPartition, int]) -> bool: ...


@dataclass(frozen=True, slots=True)
class Passing(Generic[C]):
    """What the passing of a deadline is to its aggregate."""

    name: str
    """Of the deadline: in the input's cause and actor, and where it is parked."""
    command: C


@dataclass(frozen=True)
class _Sample:
    """The topics' ends at one moment."""

    taken_at: datetime
    ends: Mapping[TopicPartition, int]


class Timers(Generic[S, C]):
    """The deadlines of one type of aggregate."""

    def __init__(
        self,
        aggregates: Aggregates[S, C, Any],
        passing: Callable[[S], Passing[C]],
        *,
        progress: Progress,
        parking: Locked,
        park_step: Callable[[str, str, Exception], Awaitable[None]],
        server_time: Callable[[], Awaitable[datetime]],
        clock: Clock,
        topics: Sequence[str] = (),
    ) -> None:
        self._aggregates = aggregates
        self._passing = passing
        self._progress = progress
        self._parking = parking
        self._park_step = park_step
        self._server_time = server_time
        self._clock = clock
        self._topics = topics
        self._name = aggregates.type.name
        self._sample: _Sample | None = None
        self._oldest_due: datetime | None = None
        self._alarm = Alarm(clock)
        aggregates.on_saved(self._saved)
        metrics.OLDEST_OVERDUE_SECONDS.labels(self._name).set_function(self._oldest_overdue_seconds)

    def _saved(self, state: S) -> None:
        moment = self._aggregates.type.due_at(state)
        if moment is not None:
            self._alarm.set(moment)

    def _oldest_overdue_seconds(self) -> float:
        return 0.0 if self._oldest_due is None else max(0.0, (self._clock.now() - self._oldest_due).total_seconds())

    async def run(self) -> None:
        """Fire due timers, for ever."""
        while True:
            try:
                while await self.fire_due():
                    pass
            except Exception as error:
                metrics.INFRASTRUCTURE_FAILURES.labels("timers").inc()
                log_failure(log, "timers_failed", error)
                await self._clock.sleep(INTERVAL_SECONDS)
                continue
            if self._oldest_due is not None:
                await self._clock.sleep(INTERVAL_SECONDS)
            else:
                await self._alarm.rings()

    async def fire_due(self) -> bool:
        """Fire the timers that may fire now; return whether a full batch was due, so that there may be more."""
        now = self._clock.now()
        due = await unlocked(self._aggregates.documents, self._parking, "due_at", now, BATCH, self._topics)
        metrics.OVERDUE_TIMERS.labels(self._name).set(len(due))
        self._oldest_due = due[0]["due_at"] if due else None
        if not due:
            metrics.TIMERS_REST.labels(self._name).set(0)  # nothing is delayed, whatever the clocks say
            return False
        if not await self._clocks_agree():
            return False
        if self._sample is None:
            self._sample = _Sample(now, await self._progress.ends())
        if not await self._progress.reached(self._sample.ends):
            return False
        covered = [document for document in due if document["due_at"] <= self._sample.taken_at]
        self._sample = None
        # Checked again: records read up to the ends may have been parked.
        fired: list[tuple[Document, str]] = []
        inputs: list[Input[C]] = []
        for document in await without_parked(self._parking, covered, self._topics):
            try:
                passing = self._passing(self._aggregates.type.codec.decode(document["state"]))
            except Exception as error:
                await self._park_step(document["_id"], self._name, error)
            else:
                inputs.append(self._input(document, passing))
                fired.append((document, passing.name))
        passage("timer.due")
        outcomes = await self._aggregates.apply(inputs)
        passage("timer.fired")
        for (document, name), outcome in zip(fired, outcomes, strict=True):
            await self._judge(document, name, outcome)
        return len(due) == BATCH and bool(inputs)

    async def _judge(self, document: Document, name: str, outcome: Outcome[S]) -> None:
        """Park it if it failed or is still due: the same cause is applied once, so it would never fire again."""
        if isinstance(outcome, Failed):
            await self._park_step(document["_id"], name, outcome.error)
        elif isinstance(outcome, Conflict | Blocked):
            log.error("timer_not_applied", target=document["_id"], due_at=document["due_at"].isoformat())
        elif outcome.state is not None:
            due_at = self._aggregates.type.due_at(outcome.state)
            if due_at is not None and abs(due_at - document["due_at"]) < _MILLISECOND:
                await self._park_step(document["_id"], name, DeadlineStands(due_at.isoformat()))

    def _input(self, document: Document, passing: Passing[C]) -> Input[C]:
        return Input(
            target=document["_id"],
            cause=f"{document['_id']}/{passing.name}/{document['due_at'].astimezone(UTC).isoformat()}",
            command=passing.command,
            actor=f"timer:{passing.name}",
            span=f"timer {passing.name}",
        )

    async def _clocks_agree(self) -> bool:
        """Whether this clock and the database's agree; if not, timers pause with an alarm."""
        apart = abs(await self._server_time() - self._clock.now())
        agree = apart <= CLOCK_TOLERANCE
        metrics.TIMERS_REST.labels(self._name).set(0 if agree else 1)
        if not agree:
            log.error("clock_differs", seconds=apart.total_seconds())
        return agree
