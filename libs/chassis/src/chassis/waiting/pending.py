"""Pending work: documents that wait for a peer's answer.

A worker takes them in batches, when they are saved and again when `try_after` has passed. Documents that do not need
the peer never wait for it. The work's results are applied as inputs; if the peer is unavailable, only the time of the
next attempt changes.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import structlog

from chassis.aggregates import Aggregates, Applied, Blocked, Conflict, Failed, Input
from chassis.aggregates.document import Document
from chassis.backoff import Backoff
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.failures import is_infrastructure, log_failure
from chassis.parking import Locked
from chassis.telemetry import metrics, tracing
from chassis.waiting.alarm import Alarm
from chassis.waiting.ready import unlocked

S = TypeVar("S")
C = TypeVar("C")

BACKOFF_SECONDS = (0.2, 30.0)

log = structlog.get_logger(__name__)

Work = Callable[[Sequence[S]], Awaitable[Sequence[Input[C] | None]]]
"""Per state one input, or None if there is no answer yet. Raises infrastructure errors if the peer is unavailable."""


class PendingWork(Generic[S, C]):
    """The worker of one type of aggregate."""

    def __init__(
        self,
        aggregates: Aggregates[S, C, Any],
        work: Work[S, C],
        *,
        parking: Locked,
        park_step: Callable[[str, str, Exception], Awaitable[None]],
        clock: Clock,
        batch: int = 100,
        name: str = "pending",
    ) -> None:
        self._aggregates = aggregates
        self._work = work
        self._parking = parking
        self._park_step = park_step
        self._clock = clock
        self._batch = batch
        self._name = name
        self._alarm = Alarm(clock)
        aggregates.on_saved(self._saved)

    def _saved(self, state: S) -> None:
        moment = self._aggregates.type.try_after(state)
        if moment is not None:
            self._alarm.set(moment)

    async def run(self) -> None:
        """Do pending work, for ever."""
        backoff = Backoff(*BACKOFF_SECONDS)
        while True:
            try:
                more = await self.step()
            except Exception as error:
                metrics.INFRASTRUCTURE_FAILURES.labels(self._name).inc()
                log_failure(log, "pending_work_waits", error, work=self._name)
                await self._clock.sleep(backoff.pause())
                continue
            backoff.reset()
            if not more:
                await self._alarm.rings()

    async def step(self) -> bool:
        """Do one batch; return whether more may be ready now."""
        free = await unlocked(self._aggregates.documents, self._parking, "try_after", self._clock.now(), self._batch)
        metrics.PENDING_WORK.labels(self._name).set(len(free))
        if not free:
            return False
        with tracing.process_span(f"work {self._name}", {}, links=_traces(free), baggage=self._baggage(free)):
            passage("peer.before")
            inputs = [input_ for input_ in await self._answers(free) if input_ is not None]
            passage("peer.answered")
            outcomes = await self._aggregates.apply(inputs, recent=True)
        for input_, outcome in zip(inputs, outcomes, strict=True):
            if isinstance(outcome, Failed):
                await self._park_step(input_.target, self._name, outcome.error)
            elif isinstance(outcome, Conflict | Blocked):
                log.error("pending_work_not_applied", target=input_.target, cause=input_.cause)
        # Without a change there is no progress: retrying at once would be a busy loop.
        return any(isinstance(outcome, Applied) for outcome in outcomes)

    def _baggage(self, documents: Sequence[Document]) -> Mapping[str, str]:
        """The baggage of a single document, for the peer's spans; a batch of several has none."""
        if len(documents) != 1:
            return {}
        try:
            return self._aggregates.type.baggage(self._aggregates.type.codec.decode(documents[0]["state"]))
        except Exception:
            return {}  # unreadable: the work fails with the same error, and parks it

    async def _answers(self, documents: Sequence[Document]) -> list[Input[C] | None]:
        """Do the work on a batch; on a fault, bisect the batch and park only the faulty document."""
        if not documents:
            return []
        try:
            return list(
                await self._work([self._aggregates.type.codec.decode(document["state"]) for document in documents])
            )
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(documents) == 1:
                await self._park_step(documents[0]["_id"], self._name, error)
                return []
            half = len(documents) // 2
            return await self._answers(documents[:half]) + await self._answers(documents[half:])


def _traces(documents: Sequence[Document]) -> list[Mapping[str, str]]:
    """Per document, the trace of the input that caused the work."""
    return [document["history"][-1]["trace"] for document in documents if document["history"]]
