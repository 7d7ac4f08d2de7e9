"""One claimed effect and its attempts: what a service says of it, how an attempt can end, and the inputs around one.

Keeps: the inputs of one attempt have causes of their own, `<id>/attempt/<number>` and what follows it, so that each
counts once, whoever repeats it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from chassis.aggregates import Input
from chassis.aggregates.document import Document
from chassis.backoff import jittered

S = TypeVar("S")
C = TypeVar("C")
M = TypeVar("M")
W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Taken:
    """The other side took it: from now on it is the other side's."""


@dataclass(frozen=True, slots=True)
class NotTaken(Generic[W]):
    """The other side did not take it, or nobody knows whether it did."""

    why: W
    final: bool = False
    """No further attempt can succeed."""


def _nothing(_: Any) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Effect(Generic[S, C, M, W]):
    """One kind of effect on the world outside: at most one for each aggregate of a type, attempted at least once.

    The type's `due_at` says when the next attempt is due, or when the claimed one counts as lost.

    S: state; C: command; M: what attempts need beside the state; W: why an attempt failed.
    """

    name: str
    """In spans, logs and metrics."""
    actor: str
    """Who claims and notes."""
    route: str
    """The field of the state that says by which way it goes (a mail domain, a host): no way takes the places of
    another."""
    id: Callable[[S], str]
    """The aggregate's."""
    waits: Callable[[S], bool]
    """Whether there is an attempt to make, and none is claimed."""
    attempts: Callable[[S], int]
    """How many were claimed."""
    since: Callable[[S], datetime]
    """From when it could be attempted: patience is counted from here."""
    load: Callable[[Sequence[str]], Awaitable[Mapping[str, M]]]
    """By id what attempts need beside the state, in one round trip: a text, an address, a key."""
    attempt: Callable[[S, M | None], Awaitable[Taken | NotTaken[W]]]
    """One attempt, under the id that all attempts at this effect have. Ends within the lease. What it raises is
    judged by `broke`."""
    broke: Callable[[S, Exception], NotTaken[W]]
    """What it means that an attempt raised; called while the error is handled."""
    claim: Callable[[int, datetime], C]
    """(attempt, until when it is held) → the command that claims it."""
    taken: Callable[[int], C]
    """The command that notes that an attempt was taken."""
    not_taken: Callable[[int, W, datetime | None], C]
    """(attempt, why, when to try again) → the command that notes it; no moment: it is given up."""
    not_due: type[Exception]
    """What the decision raises of a claim that somebody else was faster with."""
    attributes: Callable[[S], Mapping[str, str]] = _nothing
    """Of an attempt's span."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard and how long an effect is attempted."""

    lease_seconds: float
    """After which a claimed attempt counts as lost; longer than an attempt takes."""
    at_once: int
    """Attempts side by side in this process."""
    at_once_per_route: int
    first_retry_seconds: float
    longest_retry_seconds: float
    give_up_after_seconds: float
    """Counted from when it could first be attempted."""

    def retry_at(self, since: datetime, now: datetime) -> datetime | None:
        """When to try again what could be attempted `since`, with jitter; None: it is given up."""
        waited = (now - since).total_seconds()
        # As long again as it has taken so far: the delays double by themselves.
        delay = jittered(min(max(waited, self.first_retry_seconds), self.longest_retry_seconds), 0.25)
        return None if waited + delay > self.give_up_after_seconds else now + timedelta(seconds=delay)


def claiming(effect: Effect[S, C, M, W], state: S, document: Document, lease_until: datetime) -> Input[C]:
    """The claim of the next attempt, in the trace of what last happened to the aggregate."""
    attempt = effect.attempts(state) + 1
    lines = reversed(document["history"])
    return Input(
        target=document["_id"],
        cause=_cause(document["_id"], attempt),
        command=effect.claim(attempt, lease_until),
        actor=effect.actor,
        trace=next((line["trace"] for line in lines if line["events"] and line["trace"]), {}),
        span=f"claim {effect.name} attempt",
    )


def ending(
    effect: Effect[S, C, M, W], state: S, answer: Taken | NotTaken[W], limits: Limits, now: datetime
) -> Input[C]:
    """What became of the latest attempt, and when there is another one."""
    id_, attempt = effect.id(state), effect.attempts(state)
    match answer:
        case Taken():
            return Input(id_, f"{_cause(id_, attempt)}/sent", effect.taken(attempt), effect.actor)
        case NotTaken(why, final):
            retry_at = None if final else limits.retry_at(effect.since(state), now)
            command = effect.not_taken(attempt, why, retry_at)
            return Input(id_, f"{_cause(id_, attempt)}/failed", command, effect.actor)


def _cause(id_: str, attempt: int) -> str:
    return f"{id_}/attempt/{attempt}"
