"""One claimed effect and its attempts: its definition by a service, the results of an attempt, and its inputs.

Keeps: each input of an attempt has its own cause, beginning with `<id>/attempt/<number>`, so it is applied once
however often it is repeated.
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
    """The other side accepted it, and is responsible from now on."""


@dataclass(frozen=True, slots=True)
class NotTaken(Generic[W]):
    """The other side did not accept it, or the result is unknown."""

    why: W
    final: bool = False
    """No further attempt can succeed."""


def _nothing(_: Any) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Route(Generic[S]):
    """The route of an effect (a mail domain, a host); routes do not take each other's places."""

    of: Callable[[S], str]
    field: str
    """The state's field that holds it, as the codec stores it; attempts are searched by route."""


@dataclass(frozen=True)
class Effect(Generic[S, C, M, W]):
    """One kind of external effect: at most one per aggregate of a type, attempted at least once.

    The type's `due_at` is the time of the next attempt, or the end of the lease of the claimed one.

    S: state; C: command; M: material that attempts need in addition to the state; W: why an attempt failed.
    """

    name: str
    """Its name in spans, logs and metrics."""
    actor: str
    """The actor of claims and results."""
    route: Route[S]
    id: Callable[[S], str]
    """The aggregate's id."""
    waits: Callable[[S], bool]
    """Whether an attempt is to be made, and none is claimed."""
    attempts: Callable[[S], int]
    """How many attempts were claimed."""
    since: Callable[[S], datetime]
    """When it could first be attempted; the time until giving up counts from here."""
    load: Callable[[Sequence[str]], Awaitable[Mapping[str, M]]]
    """Loads the material of attempts (a text, an address, a key) by id, in one round trip."""
    attempt: Callable[[S, M | None], Awaitable[Taken | NotTaken[W]]]
    """Makes one attempt, under the id shared by all attempts at this effect. Must end within the lease. `broke`
    interprets what it raises."""
    broke: Callable[[S, Exception], NotTaken[W]]
    """The result of an attempt that raised; called while the error is handled."""
    claim: Callable[[int, datetime], C]
    """(attempt, end of lease) → the command that claims it."""
    taken: Callable[[int], C]
    """attempt → the command that records its success."""
    not_taken: Callable[[int, W, datetime | None], C]
    """(attempt, why, when to retry) → the command that records its failure; None: it is given up."""
    not_due: type[Exception]
    """The error that the decision raises if another process has claimed the attempt."""
    attributes: Callable[[S], Mapping[str, str]] = _nothing
    """Attributes of an attempt's span."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Concurrency, retries and giving up of an effect."""

    lease_seconds: float
    """After this a claimed attempt counts as lost; longer than an attempt takes."""
    at_once: int
    """Concurrent attempts in this process."""
    at_once_per_route: int
    first_retry_seconds: float
    longest_retry_seconds: float
    give_up_after_seconds: float
    """Counted from when the effect could first be attempted."""

    def retry_at(self, since: datetime, now: datetime) -> datetime | None:
        """When to retry an effect that could first be attempted at `since`, with jitter; None: it is given up."""
        waited = (now - since).total_seconds()
        # The delay is the time waited so far, so the delays double.
        delay = jittered(min(max(waited, self.first_retry_seconds), self.longest_retry_seconds), 0.25)
        return None if waited + delay > self.give_up_after_seconds else now + timedelta(seconds=delay)


def claiming(effect: Effect[S, C, M, W], state: S, document: Document, lease_until: datetime) -> Input[C]:
    """The claim of the next attempt, in the trace of the aggregate's last event."""
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
    """The input that records the result of the latest attempt, and the time of the next one."""
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
