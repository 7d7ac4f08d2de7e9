"""What a service subscribes to, and how it takes what is delivered.

An event goes to each of its targets; a raw record goes to its handler as it is.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from chassis.aggregates import Aggregates, Input, Outcome
from chassis.delivery.records import Event, RawRecord
from contracts.values import Payload

S = TypeVar("S")
C = TypeVar("C")


class Delivery(NamedTuple):
    """One event for one target."""

    event: Event
    target: str


class Handler(Protocol):
    """What a service does with the events of a subscription."""

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        """Per event the ids it is for; none is fine."""
        ...

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        """Per delivery how it ended. Idempotent: the same delivery may come again."""
        ...


@runtime_checkable
class OfAggregates(Protocol):
    """A handler whose targets are aggregates: their histories remember what staff discarded."""

    def aggregates_of(self, target: str, /) -> Aggregates[Any, Any, Any]:
        """Those that a target is one of."""
        ...


class RawHandler(Protocol):
    """What a service does with records that carry no envelope of ours, or any."""

    async def apply(self, records: Sequence[RawRecord]) -> None:
        """Resolve every record; idempotent. Raises only for infrastructure."""
        ...


@dataclass(frozen=True)
class Subscription:
    """Types of one topic and who handles them."""

    topic: str
    types: Mapping[str, type[Payload]]
    handler: Handler


@dataclass(frozen=True)
class RawSubscription:
    """A whole topic, record by record as it is."""

    topic: str
    handler: RawHandler


class AggregateHandler(Generic[S, C]):
    """The plain case: an event becomes one command for each of its targets."""

    def __init__(
        self,
        aggregates: Aggregates[S, C, Any],
        *,
        targets: Callable[[Event], Sequence[str]],
        command: Callable[[Event, str], C],
    ) -> None:
        self._aggregates = aggregates
        self._targets = targets
        self._command = command

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        return [self._targets(event) for event in events]

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[S]]:
        return await self._aggregates.apply(
            [to_input(delivery, self._command(delivery.event, delivery.target)) for delivery in deliveries],
            recent=True,
        )

    def aggregates_of(self, _target: str) -> Aggregates[S, C, Any]:
        return self._aggregates


def to_input(delivery: Delivery, command: C) -> Input[C]:
    """The input that a delivery is to an aggregate: its cause is the event's id."""
    event = delivery.event
    return Input(
        target=delivery.target,
        cause=event.envelope.id,
        command=command,
        actor=event.envelope.actor,
        hash=content_hash(event.raw),
        trace=event.envelope.trace,
        span=f"process {event.record.topic}",
    )


def content_hash(data: bytes) -> str:
    """A short fingerprint: enough to see that the same id came with other content."""
    return hashlib.sha256(data).hexdigest()[:16]


class Routes:
    """Who takes what, over all subscriptions of a service."""

    def __init__(self, subscriptions: Sequence[Subscription | RawSubscription]) -> None:
        self.raw = {each.topic: each.handler for each in subscriptions if isinstance(each, RawSubscription)}
        self._types: dict[str, dict[str, type[Payload]]] = {}
        self._handlers: dict[tuple[str, str], Handler] = {}
        for each in subscriptions:
            if isinstance(each, Subscription):
                self._types.setdefault(each.topic, {}).update(each.types)
                self._handlers |= {(each.topic, type_): each.handler for type_ in each.types}

    @property
    def topics(self) -> list[str]:
        return sorted({*self.raw, *self._types})

    def types(self, topic: str) -> Mapping[str, type[Payload]]:
        """The types of a topic that somebody takes; none of a topic that nobody reads event by event."""
        return self._types.get(topic, {})

    def handler(self, event: Event) -> Handler:
        return self._handlers[event.record.topic, event.envelope.type]

    def waves(self, events: Sequence[Event]) -> list[tuple[Handler, list[Event]]]:
        """Events of one handler together, as few times as the order within each topic and key allows.

        Between keys no order is promised, and a batch mixes all partitions: a load and a save for each change
        of handlers would cost a round trip for a few events.
        """
        waves: list[dict[int, tuple[Handler, list[Event]]]] = []
        latest: dict[str, tuple[int, Handler]] = {}
        for event in events:
            key, handler = event.record.key_lock, self.handler(event)
            place, before = latest.get(key, (0, handler))
            if before is not handler:
                place += 1
            latest[key] = place, handler
            if place == len(waves):
                waves.append({})
            waves[place].setdefault(id(handler), (handler, []))[1].append(event)
        return [run for wave in waves for run in wave.values()]
