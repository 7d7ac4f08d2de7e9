"""A toy's input, recorded before it was sent and completed by the answers: the checker judges by it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chaos.toy.aggregates import letter_id
from chaos.toy.domain import next_counter


class Way(StrEnum):
    """How something was given to the toy."""

    KAFKA = "kafka"
    DOOR = "door"


@dataclass(frozen=True, slots=True)
class Order:
    """One order, with the identity under which it counts once."""

    id: str
    """The event's id, or the command's at the door."""
    number: str
    counters: tuple[str, ...]
    amount: int
    """Negative: refused, and parked, until a tolerant build counts it."""
    key: str
    way: Way = Way.KAFKA
    hops: int = 0
    ask: bool = False
    send: bool = False
    pay_within: float | None = None
    traceparent: str = ""

    @property
    def reached(self) -> tuple[str, ...]:
        """Every counter at which it must finally count: the named ones and those that follow."""
        way: list[str] = []
        for counter in self.counters:
            way.append(counter)
            for _ in range(self.hops if self.amount else 0):
                way.append(next_counter(way[-1]))
        return tuple(way)

    @property
    def letters(self) -> tuple[str, ...]:
        """Ids of the letters that must go out."""
        return tuple(letter_id(each, self.number) for each in self.counters) if self.send and self.amount else ()


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of what an order had billed at one counter."""

    id: str
    number: str
    counter: str
    at: datetime
    key: str
    traceparent: str = ""


@dataclass
class Oracle:
    """All input, and what is known of its arrival."""

    orders: dict[str, Order] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    poison: set[str] = field(default_factory=set)
    """`<topic>/<partition>/<offset>` of records that nobody can read, as the broker acknowledged them."""
    unreadable: set[str] = field(default_factory=set)
    """Counters that an older release met in a schema that it cannot read: what was for them may have been refused."""
    acknowledged: set[str] = field(default_factory=set)
    """Ids of what the door or the broker has acknowledged."""
    acknowledged_at: dict[str, datetime] = field(default_factory=dict)
    """When the broker had acknowledged it, by the clock of this machine; not for the door's."""
    refused: set[str] = field(default_factory=set)
    """Ids that the door has refused for good: they must have no effect."""
    lost: bool = False
    """Whether the database was lost or became an older copy: audit and claims may be gone, whatever came of them."""
    letters: list[tuple[str, datetime]] = field(default_factory=list)
    """The letters that the sink received, as (id, when), with repeats; recorded before it answers."""
