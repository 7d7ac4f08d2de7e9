"""The account of a UCR: payments that name only the UCR, and their allocation to its declarations.

    a bank names the UCR alone ──▶ report noted ──▶ the declarations of the UCR are looked at ──▶ assessments noted
                                                                                      │
    an assessment or a payment by name comes later ──▶ looked at again ───────────────┴──▶ allocated ──▶ declarations

An account is opened by the first report that names only the UCR. It stores reports by event id and
assessments by declaration, so that repeated look-ups, in any order, add nothing twice. Shares are absolute
and numbered; `allocation` computes them. Every change of the state is an event, so a lost account can be
rebuilt by folding.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias, assert_never

from declarations.domain.allocation import Owed, Report, allocate, in_time
from declarations.domain.claims import WithoutEffect, ordered
from declarations.domain.declaration import Money
from declarations.domain.payments import NOTHING, Key
from values.payments import BankReference
from values.references import Ucr

PREFIX = "S-"
"""Prefix of account ids."""


def settlement_id(ucr: str) -> str:
    """`S-` and twenty hex digits: one account for each UCR."""
    return f"{PREFIX}{hashlib.sha256(ucr.encode()).hexdigest()[:20]}"


@dataclass(frozen=True, slots=True)
class Given:
    """The total allocated to a declaration from a payment."""

    publisher: str
    payment_reference: BankReference
    """The bank's own reference of the payment."""
    declaration_id: str
    amount: Money
    in_time: Decimal
    """The part that the gateway had received by the declaration's payment deadline."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The state of an account."""

    id: str
    ucr: Ucr
    reports: tuple[Report, ...] = ()
    """In the order of events."""
    owed: tuple[Owed, ...] = ()
    given: tuple[Given, ...] = ()
    allocations: int = 0
    """Number of shares set so far."""


@dataclass(frozen=True, slots=True)
class UpdateAccount:
    """Reports and assessments under a UCR; those already known change nothing."""

    settlement_id: str
    ucr: Ucr
    reports: tuple[Report, ...] = ()
    owed: tuple[Owed, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportNoted:
    settlement_id: str
    ucr: Ucr
    report: Report


@dataclass(frozen=True, slots=True)
class AssessmentNoted:
    owed: Owed


@dataclass(frozen=True, slots=True)
class Allocated:
    given: Given
    allocation: int
    allocated_at: datetime


Event: TypeAlias = ReportNoted | AssessmentNoted | Allocated


class AccountMissing(Exception):
    """The account does not exist: no report that names only the UCR has opened it."""


def decide(state: Settlement | None, command: UpdateAccount, now: datetime) -> tuple[Event, ...]:
    """Note what is new, and set the shares that change.

    Raises:
        AccountMissing: there is no account, and the command has no report that names only the UCR.
    """
    if state is None and not any(each.declaration_id is None for each in command.reports):
        raise AccountMissing(command.settlement_id)
    state = state or Settlement(command.settlement_id, command.ucr)
    news: list[Event] = [ReportNoted(state.id, state.ucr, each) for each in _new(state, command.reports)]
    have = {each.declaration_id for each in state.owed}
    news += [AssessmentNoted(each) for each in command.owed if each.declaration_id not in have]
    state = _folded(state, news)
    told = [ReportNoted(state.id, state.ucr, each) for each in _judged(state)]
    state = _folded(state, told)
    return (*news, *told, *_allocations(state, now))


def evolve(state: Settlement | None, event: Event) -> Settlement:
    """The state after an event.

    Raises:
        AccountMissing: the first event is not `ReportNoted`.
    """
    if isinstance(event, ReportNoted):
        before = state or Settlement(event.settlement_id, event.ucr)
        return replace(before, reports=_with(before.reports, event.report))
    if state is None:
        raise AccountMissing(type(event).__name__)
    match event:
        case AssessmentNoted():
            return replace(state, owed=tuple(sorted((*state.owed, event.owed), key=lambda each: each.rank)))
        case Allocated():
            kept = [each for each in state.given if _place(each) != _place(event.given)]
            given = tuple(sorted((*kept, event.given), key=_place))
            return replace(state, given=given, allocations=event.allocation)
        case _:
            assert_never(event)


def _new(state: Settlement, reports: Iterable[Report]) -> Iterator[Report]:
    """Reports that are unknown, or known with effect and now without; having no effect is permanent."""
    known = {each.claim.event_id: each for each in state.reports}
    for each in reports:
        before = known.get(each.claim.event_id)
        if before is None or (before.claim.without_effect is None and each.claim.without_effect is not None):
            yield each


def _judged(state: Settlement) -> Iterator[Report]:
    """Reports that name only the UCR and whose effect changes with the currencies owed."""
    owed = _due(state.owed)
    for each in state.reports:
        money = each.claim.amount
        if each.declaration_id is not None or money is None or each.claim.retracts is not None:
            continue
        vain = bool(owed) and money.currency not in owed
        why = WithoutEffect.PAYMENT_CURRENCY if vain else None
        due = ", ".join(f"{currency} {owed[currency]:f}" for currency in sorted(owed))
        parameters = {"owed": due, "paid": money.currency} if vain else {}
        if (why, parameters) != (each.claim.without_effect, each.claim.effect_parameters):
            yield replace(each, claim=replace(each.claim, without_effect=why, effect_parameters=parameters))


def _due(owed: Iterable[Owed]) -> dict[str, Decimal]:
    """Currency → total of all assessments in it."""
    sums: dict[str, Decimal] = {}
    for each in owed:
        sums[each.due.currency] = sums.get(each.due.currency, NOTHING) + each.due.amount
    return sums


def _allocations(state: Settlement, now: datetime) -> Iterator[Allocated]:
    """The shares that change."""
    number = state.allocations
    before = {_place(each): each for each in state.given}
    reported = {each.claim.amount.currency for each in state.reports if each.claim.amount is not None}
    for currency in sorted(reported | {each.due.currency for each in state.owed}):
        given: dict[tuple[Key, str], Decimal] = {
            ((each.publisher, each.payment_reference), each.declaration_id): each.amount.amount
            for each in state.given
            if each.amount.currency == currency
        }
        shares = allocate(state.reports, state.owed, given, currency)
        punctual = in_time(state.reports, state.owed, shares, currency)
        for (key, id_), amount in sorted(shares.items()):
            set_ = Given(*key, id_, Money(amount, currency), punctual.get((key, id_), min(amount, NOTHING)))
            if before.get(_place(set_)) != set_:
                number += 1
                yield Allocated(set_, number, now)


def _folded(state: Settlement, events: Sequence[Event]) -> Settlement:
    for event in events:
        state = evolve(state, event)
    return state


def _with(reports: tuple[Report, ...], report: Report) -> tuple[Report, ...]:
    """The reports with one added, in the order of events, replacing an earlier note of the same report."""
    by_event = {each.claim.event_id: each for each in (*reports, report)}
    return tuple(by_event[claim.event_id] for claim in ordered(each.claim for each in by_event.values()))


def _place(given: Given) -> tuple[str, str, str, str]:
    return given.publisher, given.payment_reference, given.declaration_id, given.amount.currency
