"""Subscriptions of a service, and the handlers of what is delivered.

An event goes to each of its targets; a raw record goes to its handler undecoded.
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
    """Handles the events of a subscription."""

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        """Per event, the ids of its targets; may be empty."""
        ...

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        """Per delivery, its outcome. Idempotent: the same delivery may come again."""
        ...


@runtime_checkable
class OfAggregates(Protocol):
    """A handler whose targets are aggregates; their histories record discarded deliveries."""

    def aggregates_of(self, target: str, /) -> Aggregates[Any, Any, Any]:
        """The aggregates that the target belongs to."""
        ...


class RawHandler(Protocol):
    """Handles undecoded records, with or without our envelope."""

    async def apply(self, records: Sequence[RawRecord]) -> None:
        """Process every record; idempotent. Raises only for infrastructure."""
        ...


@dataclass(frozen=True)
class Subscription:
    """Types of one topic and their handler."""

    topic: str
    types: Mapping[str, type[Payload]]
    handler: Handler


@dataclass(frozen=True)
class RawSubscription:
    """A whole topic, with undecoded records."""

    topic: str
    handler: RawHandler


class AggregateHandler(Generic[S, C]):
    """The standard case: an event becomes one command for each of its targets."""

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
    """The aggregate's input for a delivery; its cause is the event's id."""
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
    """A short fingerprint, to detect an id that is reused with other content."""
    return hashlib.sha256(data).hexdigest()[:16]


class Routes:
    """The handler of each topic and type, over all subscriptions of a service."""

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
        """The subscribed types of a topic; empty if it is not read event by event."""
        return self._types.get(topic, {})

    def handler(self, event: Event) -> Handler:
        return self._handlers[event.record.topic, event.envelope.type]

    def waves(self, events: Sequence[Event]) -> list[tuple[Handler, list[Event]]]:
        """Group events by handler, in as few groups as the order within each topic and key allows.

        A batch mixes all partitions, and no order is promised between keys. Without regrouping, each change of handler
        would cost a load and a save for a few events.
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
