"""The toy's two types of aggregates, and the target of each record."""

from collections.abc import Sequence

from chaos.toy import domain, letter
from chaos.toy.messages import (
    BILL_PAID,
    COUNTED,
    COUNTER_MESSAGES,
    LETTER_MESSAGES,
    LETTER_ORDERED,
    ORDER_PLACED,
    ORDER_PLACED_BEFORE,
    BillPaid,
    Counted,
    LetterOrdered,
    OrderPlaced,
    OrderPlacedBefore,
)

from chassis.aggregates import Aggregates, AggregateType
from chassis.aggregates.codec import dataclass_codec
from chassis.delivery.records import Event
from chassis.delivery.subscriptions import AggregateHandler, Subscription
from chassis.telemetry import UCR

Counters = Aggregates[domain.Counter, domain.Command, domain.Event]
Letters = Aggregates[letter.Letter, letter.Command, letter.Event]

COUNTER_CODEC = dataclass_codec(domain.Counter)


def counter_type(rules: domain.Rules) -> AggregateType[domain.Counter, domain.Command, domain.Event]:
    return AggregateType(
        name="counter",
        collection="counters",
        decide=rules.decide,
        evolve=domain.evolve,
        key=lambda state: state.key,
        codec=COUNTER_CODEC,
        messages=COUNTER_MESSAGES,
        due_at=domain.due_at,
        try_after=domain.try_after,
        baggage=lambda state: {UCR: state.key},
    )


LETTER: AggregateType[letter.Letter, letter.Command, letter.Event] = AggregateType(
    name="letter",
    collection="letters",
    decide=letter.decide,
    evolve=letter.evolve,
    key=lambda state: state.key,
    codec=dataclass_codec(letter.Letter),
    messages=LETTER_MESSAGES,
    due_at=letter.due_at,
    baggage=lambda state: {UCR: state.key},
)


def subscriptions(orders: str, own: str, counters: Counters, letters: Letters) -> list[Subscription]:
    """The toy's subscriptions.

    Args:
        orders: the topic of its input.
        own: the topic that it publishes on, and reads for the next step.
    """
    told = AggregateHandler(counters, targets=_told, command=_command)
    next_step = AggregateHandler(counters, targets=_following, command=_count_on)
    written = AggregateHandler(letters, targets=_letters, command=_write)
    return [
        Subscription(
            orders,
            {ORDER_PLACED: OrderPlaced, ORDER_PLACED_BEFORE: OrderPlacedBefore, BILL_PAID: BillPaid},
            told,
        ),
        Subscription(own, {COUNTED: Counted}, next_step),
        Subscription(own, {LETTER_ORDERED: LetterOrdered}, written),
    ]


def _told(event: Event) -> Sequence[str]:
    match event.payload:
        case OrderPlaced(counters=counters):
            return counters
        case OrderPlacedBefore(counter=counter):
            return (counter,)
        case BillPaid(counter=counter):
            return (counter,)
    raise TypeError(event.envelope.type)


def _command(event: Event, target: str) -> domain.Command:
    match event.payload:
        case OrderPlaced() as order:
            return domain.Count(
                target, order.number, order.amount, order.key, order.hops, order.ask, order.send, order.pay_within
            )
        case OrderPlacedBefore() as order:
            return domain.Count(target, order.number, order.quantity, event.envelope.partitionkey)
        case BillPaid() as paid:
            return domain.Pay(target, paid.number, paid.at, paid.key)
    raise TypeError(event.envelope.type)


def _following(event: Event) -> Sequence[str]:
    match event.payload:
        case Counted(counter=counter, hops=hops) if hops > 0:
            return (domain.next_counter(counter),)
    return ()


def _count_on(event: Event, target: str) -> domain.Command:
    match event.payload:
        case Counted() as counted:
            return domain.Count(target, counted.number, counted.amount, counted.key, counted.hops - 1)
    raise TypeError(event.envelope.type)


def _letters(event: Event) -> Sequence[str]:
    match event.payload:
        case LetterOrdered(counter=counter, number=number):
            return (letter_id(counter, number),)
    raise TypeError(event.envelope.type)


def _write(event: Event, target: str) -> letter.Command:
    match event.payload:
        case LetterOrdered(key=key):
            return letter.Write(target, key)
    raise TypeError(event.envelope.type)


def letter_id(counter: str, number: str) -> str:
    """The letter that an order makes a counter write."""
    return f"letter:{counter}:{number}"
