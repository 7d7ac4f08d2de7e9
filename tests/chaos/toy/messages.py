"""The payloads on the toy's topics: the orders and payments that it reads, and its own events."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from chaos.toy import domain, letter
from pydantic import AwareDatetime, Field, TypeAdapter

from contracts.values import Payload

E = TypeVar("E")

ORDER_PLACED = "trade.toys.order.placed.v1"
ORDER_PLACED_BEFORE = "trade.toys.order.placed.v0"
"""The previous major version, which is still read."""
BILL_PAID = "trade.toys.bill.paid.v1"
COUNTED = "trade.toys.counter.counted.v1"
LETTER_ORDERED = "trade.toys.counter.letter_ordered.v1"


class OrderPlaced(Payload):
    """Somebody wants something counted."""

    number: str = Field(description="The order's own number; unique")
    counters: tuple[str, ...] = Field(description="Which counters it is for")
    amount: int
    key: str = Field(description="The Kafka key of everything that comes of it")
    hops: int = 0
    ask: bool = False
    send: bool = False
    pay_within: float | None = Field(default=None, description="Seconds; none: nothing is to be paid")


class OrderPlacedBefore(Payload):
    """The same, as it was told by the major version before: for one counter, under its own name."""

    number: str
    counter: str
    quantity: int


class BillPaid(Payload):
    """Somebody paid what an order had billed."""

    number: str
    counter: str
    at: AwareDatetime
    key: str


class Counted(Payload):
    """The toy's own event, as far as its next step reads it."""

    counter: str
    key: str
    number: str
    amount: int
    hops: int = 0


class LetterOrdered(Payload):
    """The toy's own event: a letter is to go out."""

    counter: str
    key: str
    number: str


class DataclassMessages(Generic[E]):
    """Domain events as JSON, named after their classes: a toy has no contract of its own to keep stable."""

    def __init__(self, aggregate: str, events: Mapping[str, type[Any]]) -> None:
        self._adapters = {f"trade.toys.{aggregate}.{name}.v1": TypeAdapter(type_) for name, type_ in events.items()}
        self._names = {type_: f"trade.toys.{aggregate}.{name}.v1" for name, type_ in events.items()}

    def encode(self, event: E, state: Any) -> tuple[str, bytes]:
        name = self._names[type(event)]
        return name, self._adapters[name].dump_json(event)

    def decode(self, type: str, data: bytes) -> E:  # noqa: A002 - the port's name
        event: E = self._adapters[type].validate_json(data)
        return event


COUNTER_MESSAGES: DataclassMessages[domain.Event] = DataclassMessages(
    "counter",
    {
        "counted": domain.Counted,
        "letter_ordered": domain.LetterOrdered,
        "answered": domain.Answered,
        "payment_kept": domain.PaymentKept,
        "bill_settled": domain.BillSettled,
    },
)
LETTER_MESSAGES: DataclassMessages[letter.Event] = DataclassMessages(
    "letter", {"written": letter.Written, "claimed": letter.Claimed, "sent": letter.Sent, "not_taken": letter.NotTaken}
)
