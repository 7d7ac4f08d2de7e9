"""The outcome of everything that the oracle requires: each order, payment, hop and letter, per target.

The path of an order is followed from the oracle: its next input is the event in the history line of the
previous step. So a missing step is detected even if nothing was ever published of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chaos.judging.world import Said, Stored, World
from chaos.toy.aggregates import letter_id
from chaos.toy.domain import next_counter
from chaos.toy.oracle import Oracle, Order, Way

from chassis.parking.model import key_lock

DISCARDED = "discarded"


class Fate(StrEnum):
    APPLIED = "applied"
    HELD = "held"
    """Parked, for its target or under its key."""
    DISCARDED = "discarded"
    """Given up by staff."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Step:
    """One delivery that must be resolved, and its outcome."""

    cause: str
    target: str
    trace: str
    """The `traceparent` of the input that it leads back to; empty: it had none."""
    fate: Fate
    certain: bool
    """Whether it must have come about: not where nobody knows that the input arrived."""
    order: Order | None = None
    hop: int = 0
    """How many counters on the order's way came before."""

    @property
    def is_letter(self) -> bool:
        return self.order is not None and self.target.startswith("letter:")


class Fates:
    """The fate of each delivery, worked out once."""

    def __init__(self, world: World, oracle: Oracle) -> None:
        self.world = world
        self.oracle = oracle
        self.owners: Mapping[str, Stored] = {each.id: each for each in world.stored}
        self.lines: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
            each.id: {line["cause"]: line for line in each.applied} for each in world.stored
        }
        """Target → cause → its (last) history line."""
        self.first: Mapping[str, Said] = _first(world)
        """Event id → its first copy, on whichever topic."""
        self._parked = {(each["event_id"], each["target"]) for each in world.parked}
        self._discarded = {
            (each["delivery"]["event_id"], each["delivery"]["target"])
            for each in world.audit
            if each["action"] == DISCARDED
        }
        self.by_key = {
            each["event_id"]
            for each in [*world.parked, *(line["delivery"] for line in world.audit)]
            if each["target"] == key_lock(each["topic"], (each["key"] or b"").decode(errors="replace"))
        }
        """Causes that wait or waited under their key, since nobody could tell their target."""
        self.given_up = {event for event, _ in self._discarded}
        self.steps: list[Step] = [*self._orders(), *self._payments()]
        self.of = {(each.cause, each.target): each for each in self.steps}

    def fate(self, cause: str, target: str) -> Fate:
        """How one delivery ended."""
        if cause in self.lines.get(target, {}):
            return Fate.APPLIED
        said = self.first.get(cause)
        under = {target, key_lock(said.topic, said.envelope.partitionkey)} if said else {target}
        if any((cause, lock) in self._parked for lock in under):
            return Fate.HELD
        if any((cause, lock) in self._discarded for lock in under):
            return Fate.DISCARDED
        return Fate.MISSING

    def _orders(self) -> Iterator[Step]:
        for order in self.oracle.orders.values():
            for counter in dict.fromkeys(order.counters):
                yield from self._way(order, counter)

    def _way(self, order: Order, counter: str) -> Iterator[Step]:
        """One order at one counter, and at those that follow it, as far as it came."""
        cause, certain = order.id, order.id in self.oracle.acknowledged
        over_kafka = order.way is Way.KAFKA
        for hop in range((order.hops if over_kafka and order.amount else 0) + 1):
            fate = self.fate(cause, counter)
            yield Step(cause, counter, order.traceparent, fate, certain, order, hop)
            if fate is not Fate.APPLIED:
                return
            certain, events = True, self.lines[counter][cause]["events"]
            if hop == 0 and order.send and over_kafka and order.amount:
                yield self._letter(order, counter, events)
            if not events:
                return
            cause, counter = events[0], next_counter(counter)

    def _letter(self, order: Order, counter: str, events: list[str]) -> Step:
        target = letter_id(counter, order.number)
        if len(events) < 2:
            return Step(f"no letter was ordered by {order.id}", target, order.traceparent, Fate.MISSING, True, order)
        return Step(events[1], target, order.traceparent, self.fate(events[1], target), True, order)

    def _payments(self) -> Iterator[Step]:
        for each in self.oracle.payments.values():
            certain = each.id in self.oracle.acknowledged
            yield Step(each.id, each.counter, each.traceparent, self.fate(each.id, each.counter), certain)


def _first(world: World) -> dict[str, Said]:
    first: dict[str, Said] = {}
    for each in world.said:
        first.setdefault(each.envelope.id, each)
    return first


def own_step(target: str, cause: str, order_numbers: set[str]) -> bool:
    """Whether a cause is a step that the aggregate takes by itself: an answer, a deadline, an attempt, a note."""
    kind, _, rest = cause.removeprefix(f"{target}/").partition("/")
    if not cause.startswith(f"{target}/"):
        return False
    match kind:
        case "answer":
            return rest in order_numbers
        case "attempt":
            number, _, note = rest.partition("/")
            return number.isdigit() and note in {"", "sent", "failed"}
        case "bill":
            return bool(rest)
    return False
