"""A sample aggregate, its contract and its records: the smallest thing that decides, waits and falls due."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chassis.aggregates import Aggregates, AggregateType, Input
from chassis.aggregates.codec import dataclass_codec
from chassis.delivery.records import Event, RawRecord
from chassis.delivery.subscriptions import AggregateHandler, Subscription
from chassis.parking.model import ParkedDelivery, Position
from contracts.envelope import Envelope
from contracts.topics import Topic
from contracts.values import Payload

TOPIC = Topic("tallies.events.v1", "tallies", ("tallies",), ("tests",), "the tally's id")
SOURCE_TOPIC = "counted.events.v1"
COUNTED = "trade.tests.tally.counted.v1"
ADDED = "trade.tallies.tally.added.v1"
MOMENT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tally:
    total: int = 0
    order: tuple[int, ...] = ()
    due: datetime | None = None
    waiting: datetime | None = None


@dataclass(frozen=True, slots=True)
class Add:
    amount: int
    due: datetime | None = None
    waiting: datetime | None = None


@dataclass(frozen=True, slots=True)
class Added:
    amount: int
    due: datetime | None = None
    waiting: datetime | None = None


class NegativeAmount(Exception):
    """A tally only grows."""


def decide(state: Tally | None, command: Add, now: datetime) -> tuple[Added, ...]:
    if command.amount < 0:
        raise NegativeAmount(command.amount)
    return (Added(command.amount, command.due, command.waiting),) if command.amount else ()


def evolve(state: Tally | None, event: Added) -> Tally:
    tally = state or Tally()
    return replace(
        tally,
        total=tally.total + event.amount,
        order=(*tally.order, event.amount),
        due=event.due,
        waiting=event.waiting,
    )


class TallyMessages:
    def encode(self, event: Added, state: Tally) -> tuple[str, bytes]:
        return ADDED, json.dumps({"amount": event.amount}).encode()

    def decode(self, type: str, data: bytes) -> Added:  # noqa: A002 - the port's name
        return Added(json.loads(data)["amount"])


TALLY: AggregateType[Tally, Add, Added] = AggregateType(
    name="tally",
    collection="tallies",
    decide=decide,
    evolve=evolve,
    key=lambda _: "key",
    codec=dataclass_codec(Tally),
    messages=TallyMessages(),
    due_at=lambda state: state.due,
    try_after=lambda state: state.waiting,
    baggage=lambda _: {"trade.ucr": "UCR-1"},
)


def add(
    target: str,
    cause: str,
    amount: int = 1,
    *,
    content: str = "",
    due: datetime | None = None,
    waiting: datetime | None = None,
) -> Input[Add]:
    """An input that adds."""
    return Input(target, cause, Add(amount, due, waiting), actor="staff:test", hash=content)


class Counted(Payload):
    """Somebody counted something for some tallies."""

    amount: int
    tallies: tuple[str, ...]


def a_record(
    offset: int,
    amount: int = 1,
    tallies: Sequence[str] = ("T-1",),
    *,
    key: str = "K",
    event_id: str = "",
    kind: str = COUNTED,
    partition: int = 0,
    value: bytes | None = None,
    headers: Sequence[tuple[str, bytes | None]] = (),
) -> RawRecord:
    """A record of `Counted` from Kafka; the arguments replace correct values."""
    envelope = Envelope(
        id=event_id or f"S/{partition}.{offset}",
        source="/trade/tests",
        type=kind,
        time=MOMENT,
        subject="S",
        sequence=offset + 1,
        partitionkey=key,
        causationid="test",
        actor="service:tests",
    )
    data = json.dumps({"amount": amount, "tallies": list(tallies)}).encode() if value is None else value
    return RawRecord(
        SOURCE_TOPIC, partition, offset, key.encode(), (*envelope.headers(), *headers), data, 1_767_600_000_000
    )


def subscription(aggregates: Aggregates[Tally, Add, Added]) -> Subscription:
    """Every tally named in a record gets its amount."""
    return Subscription(
        SOURCE_TOPIC, {COUNTED: Counted}, AggregateHandler(aggregates, targets=_targets, command=_command)
    )


def _targets(event: Event) -> Sequence[str]:
    assert isinstance(event.payload, Counted)
    if "nobody" in event.payload.tallies:
        raise LookupError("no such tally")
    return event.payload.tallies


def _command(event: Event, target: str) -> Add:
    assert isinstance(event.payload, Counted)
    return Add(event.payload.amount)


def parked_delivery(target: str, offset: int = 0) -> ParkedDelivery:
    """Something that waits for staff."""
    return ParkedDelivery(target, Position(SOURCE_TOPIC, 0, offset), b"K", (), b"{}", 1, "refused")
