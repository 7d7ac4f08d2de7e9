"""Counters: the toy's commands and their events. Pure.

    order placed ─▶ Counted ─(hops left)─▶ the next counter on the way
                      ├─ ask ──▶ the number waits in `questions` ─▶ Answered      (a look-up at a peer)
                      ├─ bill ─▶ OPEN ─▶ PAID | OVERDUE ─▶ FORGIVEN | PAID_LATE   (a deadline)
                      └─ send ─▶ LetterOrdered ─▶ an aggregate of its own, `letter.py`  (an external effect)

A payment counts from when it was made, not from when it is read: one that arrives before its bill is kept, and
a punctual one that is read late withdraws the overdue event.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, assert_never


class BillStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    OVERDUE = "overdue"
    FORGIVEN = "forgiven"
    """It was overdue, and then the punctual payment came."""
    PAID_LATE = "paid_late"


@dataclass(frozen=True, slots=True)
class Bill:
    due: datetime
    status: BillStatus


@dataclass(frozen=True, slots=True)
class Counter:
    id: str
    key: str
    """The Kafka key of its events: what it was ordered under."""
    total: int = 0
    questions: Mapping[str, datetime] = field(default_factory=dict)
    """Number of the order → from when its question may be asked."""
    answers: Mapping[str, int] = field(default_factory=dict)
    bills: Mapping[str, Bill] = field(default_factory=dict)
    early: Mapping[str, datetime] = field(default_factory=dict)
    """Payments whose bills are not there yet: number → when it was paid."""


# Commands. Numbers are text, since they are keys in documents.


class Count(NamedTuple):
    counter: str
    number: str
    amount: int
    key: str
    hops: int = 0
    """How many counters are to follow this one."""
    ask: bool = False
    send: bool = False
    pay_within: float | None = None
    """Seconds."""


class Answer(NamedTuple):
    number: str
    value: int


class Pay(NamedTuple):
    counter: str
    number: str
    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class PassDeadline:
    pass


Command = Count | Answer | Pay | PassDeadline


# Events.


@dataclass(frozen=True, slots=True)
class Counted:
    counter: str
    key: str
    number: str
    amount: int
    hops: int = 0
    ask_from: datetime | None = None
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class LetterOrdered:
    counter: str
    key: str
    number: str


@dataclass(frozen=True, slots=True)
class Answered:
    number: str
    value: int


@dataclass(frozen=True, slots=True)
class PaymentKept:
    counter: str
    key: str
    number: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BillSettled:
    number: str
    status: BillStatus


Event = Counted | LetterOrdered | Answered | PaymentKept | BillSettled


class NegativeAmount(Exception):
    """A counter only grows, until a build accepts such an order."""


class NoSuchQuestion(Exception):
    """An answer to a question that nobody asked: a bug of the asking side."""


def answer_to(number: str) -> int:
    """The peer's answer: any value that the checker can recompute."""
    return sum(number.encode()) % 97


def next_counter(counter: str) -> str:
    """The counter that follows on the way: `c-1`, `c-1.1`, `c-1.2` …"""
    root, _, place = counter.partition(".")
    return f"{root}.{int(place or 0) + 1}"


@dataclass(frozen=True)
class Rules:
    """What a build takes for right."""

    tolerant: Callable[[], bool] = lambda: False
    """Whether negative amounts are counted, as a fixed build would do with parked orders."""

    def decide(self, state: Counter | None, command: Command, now: datetime) -> Sequence[Event]:
        """The events that come of a command.

        Raises:
            NegativeAmount: this build does not take it.
            NoSuchQuestion: nobody asked.
        """
        match command:
            case Count():
                return self._count(state, command, now)
            case Answer(number, value):
                if state is None or number not in {*state.questions, *state.answers}:
                    raise NoSuchQuestion(number)
                return (Answered(number, value),) if number in state.questions else ()
            case Pay():
                return _pay(state, command)
            case PassDeadline():
                assert state is not None
                passed = (each for each, bill in state.bills.items() if _open(bill) and bill.due <= now)
                return tuple(BillSettled(number, BillStatus.OVERDUE) for number in passed)
            case _:
                assert_never(command)

    def _count(self, state: Counter | None, command: Count, now: datetime) -> Sequence[Event]:
        if command.amount < 0 and not self.tolerant():
            raise NegativeAmount(command.amount)
        if command.amount == 0:
            return ()  # an input that changes nothing is remembered all the same
        due = None if command.pay_within is None else now + timedelta(seconds=command.pay_within)
        counted = Counted(
            counter=command.counter,
            key=command.key,
            number=command.number,
            amount=command.amount,
            hops=command.hops,
            ask_from=now if command.ask else None,
            due=due,
        )
        events: list[Event] = [counted]
        if command.send:
            events.append(LetterOrdered(command.counter, command.key, command.number))
        paid_at = state.early.get(command.number) if state else None
        if due is not None and paid_at is not None:
            status = BillStatus.PAID if paid_at <= due else BillStatus.PAID_LATE
            events.append(BillSettled(command.number, status))
        return events


def _pay(state: Counter | None, command: Pay) -> Sequence[Event]:
    bill = state.bills.get(command.number) if state else None
    if bill is None:
        return (PaymentKept(command.counter, command.key, command.number, command.at),)
    punctual = command.at <= bill.due
    match bill.status:
        case BillStatus.OPEN:
            return (BillSettled(command.number, BillStatus.PAID if punctual else BillStatus.PAID_LATE),)
        case BillStatus.OVERDUE:
            return (BillSettled(command.number, BillStatus.FORGIVEN if punctual else BillStatus.PAID_LATE),)
        case BillStatus.PAID | BillStatus.FORGIVEN | BillStatus.PAID_LATE:
            return ()


def _open(bill: Bill) -> bool:
    return bill.status is BillStatus.OPEN


def evolve(state: Counter | None, event: Event) -> Counter:
    match event:
        case Counted(counter, key, number, amount):
            known = replace(state, total=state.total + amount) if state else Counter(counter, key, amount)
            if event.ask_from is not None:
                known = replace(known, questions={**known.questions, number: event.ask_from})
            if event.due is not None:
                known = replace(known, bills={**known.bills, number: Bill(event.due, BillStatus.OPEN)})
            return known
        case LetterOrdered():
            assert state is not None
            return state
        case PaymentKept(counter, key, number, at):
            known = state or Counter(counter, key)
            return replace(known, early={**known.early, number: at})
        case Answered(number, value):
            assert state is not None
            left = {each: since for each, since in state.questions.items() if each != number}
            return replace(state, questions=left, answers={**state.answers, number: value})
        case BillSettled(number, status):
            assert state is not None
            return replace(state, bills={**state.bills, number: replace(state.bills[number], status=status)})
        case _:
            assert_never(event)


def due_at(state: Counter) -> datetime | None:
    return min((bill.due for bill in state.bills.values() if _open(bill)), default=None)


def try_after(state: Counter) -> datetime | None:
    return min(state.questions.values(), default=None)
