"""Claimed effects: an external effect is claimed, sent, and its result saved, outside the consumer.

Keeps: a claim is saved before a byte is sent. If the process dies between sending and saving the result, the lease
expires and the retry is sent under the same id. Each route has a limited share of the attempts, so a route that does
not answer delays only its own.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import structlog

from chassis.aggregates import Aggregates, Applied, Failed, Input
from chassis.aggregates.document import Document
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.failures import is_infrastructure
from chassis.tasks import cancel
from chassis.telemetry import metrics, tracing
from chassis.waiting.attempts import Effect, Limits, NotTaken, Taken, claiming, ending
from chassis.waiting.due_attempts import DueAttempts
from chassis.waiting.known_due import Due
from chassis.waiting.noting import Noting
from chassis.waiting.places import Places

S = TypeVar("S")
C = TypeVar("C")
M = TypeVar("M")
W = TypeVar("W")

AGAIN_SECONDS = 1.0
"""Pause between two tries to claim while the database is unavailable."""
FINISH_SECONDS = 3.0
"""How long a stop waits for attempts in progress."""
AHEAD_SECONDS = 5.0
"""How long a first claim may wait for its place."""
ROOM_SECONDS = 1.0
"""How long creations wait for attempts in progress: a backlog is cheaper in a topic than in the database."""

log = structlog.get_logger(__name__)


class Effects(Generic[S, C, M, W]):
    """Attempts the effects of one type of aggregate in this process."""

    def __init__(
        self, aggregates: Aggregates[S, C, Any], effect: Effect[S, C, M, W], limits: Limits, clock: Clock
    ) -> None:
        self._aggregates = aggregates
        self._effect = effect
        self._limits = limits
        self._clock = clock
        self._places = Places(limits.at_once, limits.at_once_per_route)
        self._due = DueAttempts(aggregates.documents, effect.route.field, self._places, clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._noting = Noting(aggregates)
        aggregates.on_saved(self._saved)

    def _saved(self, state: S) -> None:
        if self._effect.waits(state):
            self._know(state)

    def _know(self, state: S) -> None:
        if (moment := self._aggregates.type.due_at(state)) is not None:
            self._due.know(Due(moment, self._effect.id(state), self._route(state)))

    def _route(self, state: S) -> str:
        return self._effect.route.of(state)

    async def run(self) -> None:
        """Attempt what is due, for ever; on a stop, finish attempts in progress."""
        self._places.closed = False
        try:
            while True:
                try:
                    while await self.start_due():
                        pass
                except Exception as error:
                    if not is_infrastructure(error):
                        raise
                    metrics.INFRASTRUCTURE_FAILURES.labels(self._effect.name).inc()
                    log.warning(f"{self._effect.name}_waits", error=repr(error)[:300])
                    await self._clock.sleep(AGAIN_SECONDS)
                    continue
                await self._due.alarm.rings()
        finally:
            await self._finish()

    async def start_due(self) -> int:
        """Claim due attempts while places are free, and start them; return how many were started.

        Zero means that no more can be started now.
        """
        while due := await self._due.take():
            for each in due:
                self._places.hold(each.id, each.route)
            started: frozenset[str] = frozenset()
            try:
                started = await self._claim(due)
            except Exception:
                self._due.know_again(due)
                raise
            finally:
                for each in due:
                    if each.id not in started:
                        self.give_back(each.id)
            if started:
                return len(started)
        return 0

    async def idle(self) -> None:
        """Wait until no attempt is in progress."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _claim(self, due: Sequence[Due]) -> frozenset[str]:
        """Claim the next attempt of each that is still due; which were started."""
        documents = await self._aggregates.documents.load([each.id for each in due])
        material = await self._effect.load(list(documents))
        claims = [self._claim_of(document) for document in documents.values()]
        inputs = [each for each in claims if each is not None]
        started = set[str]()
        passage("claim.before")
        outcomes = await self._aggregates.apply(inputs, recent=True)
        passage("claim.after")
        for input_, outcome in zip(inputs, outcomes, strict=True):
            match outcome:
                case Applied(state) if state is not None:
                    self.start(state, material.get(input_.target), input_.trace)
                    started.add(input_.target)
                case Failed(error) if not isinstance(error, self._effect.not_due):
                    self._leave_alone("attempt_not_claimed", input_.target, error=repr(error))
                case _:
                    pass  # another replica has claimed this attempt or a later one
        return frozenset(started)

    def _claim_of(self, document: Document) -> Input[C] | None:
        """The claim of the next attempt; None if it is not due or already claimed."""
        try:
            state = self._aggregates.type.codec.decode(document["state"])
        except Exception as error:  # concerns this document only
            self._leave_alone("attempt_not_claimed", document["_id"], error=repr(error))
            return None
        moment = self._aggregates.type.due_at(state)
        if moment is None or moment > self._clock.now():  # another replica has completed it, or holds the lease
            self._know(state)
            return None
        return claiming(self._effect, state, document, self._lease_until())

    def _lease_until(self) -> datetime:
        """The end of the lease of an attempt claimed now."""
        return self._clock.now() + timedelta(seconds=self._limits.lease_seconds)

    def _leave_alone(self, event: str, id_: str, **why: str) -> None:
        """Log and ignore one that this process would otherwise retry, or send, again and again."""
        self._due.leave_alone(id_)
        log.error(event, **{self._aggregates.type.name: id_}, **why)

    async def room(self) -> None:
        """Wait until there is room for new attempts, at most `ROOM_SECONDS`, as a dead server may not answer at all."""
        await self._places.few_in_hand(ROOM_SECONDS)

    def hold(self, id_: str, route: str) -> datetime | None:
        """Have room for an attempt whose claim is yet to be saved: until when it is claimed; None: there is no room."""
        if not self._places.take(id_, route):
            return None
        return self._lease_until() + timedelta(seconds=AHEAD_SECONDS)

    def is_held(self, state: S, until: datetime) -> bool:
        """Whether the state's attempt is claimed with this end of lease."""
        return not self._effect.waits(state) and self._aggregates.type.due_at(state) == until

    def start(self, state: S, material: M | None, trace: Mapping[str, str]) -> None:
        """Make an attempt that is saved as claimed, once it has a place."""
        id_ = self._effect.id(state)
        entered = self._places.enter(id_, self._route(state))
        task = asyncio.create_task(self._attempt_in_turn(entered, state, material, trace))
        self._tasks.add(task)

        def done(finished: "asyncio.Task[None]") -> None:
            self._tasks.discard(finished)
            self.give_back(id_)

        task.add_done_callback(done)

    def _leave(self, id_: str) -> None:
        if self._places.leave(id_):
            self._due.alarm.set(self._clock.now())  # a place is free for another

    def give_back(self, id_: str) -> None:
        """Release a place that will not be used."""
        self._leave(id_)
        self._places.drop(id_)

    async def _attempt_in_turn(
        self, entered: "asyncio.Future[None]", state: S, material: M | None, trace: Mapping[str, str]
    ) -> None:
        if not entered.done():
            await entered
            until = self._aggregates.type.due_at(state)
            if until is not None and until < self._lease_until():
                self._know(state)  # it might outlast its claim: it is made under the next one
                return
        await self._attempt(self._effect.id(state), state, material, trace)

    async def _attempt(self, id_: str, state: S, material: M | None, trace: Mapping[str, str]) -> None:
        baggage = self._aggregates.type.baggage(state)
        with tracing.process_span(f"send {self._effect.name}", trace, baggage=baggage) as span:
            span.set_attributes(self._effect.attributes(state))
            answer = await self._send(state, material)
            self._leave(id_)  # saving the result needs no place
            await self._note(state, ending(self._effect, state, answer, self._limits, self._clock.now()))

    async def _send(self, state: S, material: M | None) -> Taken | NotTaken[W]:
        try:
            answer = await self._effect.attempt(state, material)
            passage("send.after")
        except Exception as error:
            # Any error concerns this effect only: it is recorded with the attempt, and retried.
            return self._effect.broke(state, error)
        return answer

    async def _note(self, state: S, input_: Input[C]) -> None:
        """Save the result of an attempt; while the database is unavailable, retry until the lease ends."""
        named = {self._aggregates.type.name: input_.target, "cause": input_.cause}
        try:
            outcome = await self._noting.note_within(self._limits.lease_seconds, input_, self._clock)
        except Exception as error:
            if not is_infrastructure(error):
                log.exception("attempt_not_noted", **named)
            else:  # the lease ends: it is sent again, under the same id
                log.warning("attempt_not_noted", error=repr(error)[:300], **named)
                self._know(state)
            return
        if isinstance(outcome, Failed):
            self._leave_alone("attempt_not_noted", input_.target, cause=input_.cause, error=repr(outcome.error))

    async def _finish(self) -> None:
        self._places.closed = True
        try:
            if self._tasks:
                await asyncio.wait(set(self._tasks), timeout=FINISH_SECONDS)
        finally:
            await cancel(self._tasks)
            await self._noting.give_up()
