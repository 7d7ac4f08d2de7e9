"""Payments that name only a UCR: allocated once, oldest deadline first, and never more than was paid."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.declarations.tests.declaration_builders import NOW, UCR, a_claim

from declarations.domain.allocation import Owed, Report
from declarations.domain.claims import Kind, WithoutEffect, in_force
from declarations.domain.declaration import Money
from declarations.domain.payments import Key, Share, confirmed, parts, reversed_
from declarations.domain.settlement import (
    AccountMissing,
    Allocated,
    Event,
    ReportNoted,
    Settlement,
    UpdateAccount,
    decide,
    evolve,
    settlement_id,
)

ID = settlement_id(UCR)
NAMES = ("D-1", "D-2", "D-3")


def yuan(amount: str | int, currency: str = "CNY") -> Money:
    return Money(Decimal(amount), currency)


def owed(id_: str, amount: str | int, days: int = 0) -> Owed:
    """A debt whose deadline is `days` after the first deadline."""
    return Owed(id_, yuan(amount), NOW + timedelta(days=15 + days))


def said(
    amount: str | int, id_: str, *, of: str | None = None, kind: Kind = Kind.PAYMENT_CONFIRMED, **changes: Any
) -> Report:
    money = yuan(amount, changes.pop("currency", "CNY"))
    fields = {"payment_reference": "B-1", "amount": money, "publisher": "bank-qd", **changes}
    return Report(of, a_claim(kind, id_, **fields))


def back(amount: str | int, id_: str, **changes: Any) -> Report:
    return said(amount, id_, kind=Kind.PAYMENT_REVERSED, **changes)


class Account:
    """An account that is updated step by step; every step is folded, as in the service."""

    def __init__(self) -> None:
        self.state: Settlement | None = None
        self.events: list[Event] = []

    def learn(self, *news: Report | Owed) -> "Account":
        reports = tuple(each for each in news if isinstance(each, Report))
        assessments = tuple(each for each in news if isinstance(each, Owed))
        for event in decide(self.state, UpdateAccount(ID, UCR, reports, assessments), NOW):
            self.state = evolve(self.state, event)
            self.events.append(event)
        return self

    @property
    def given(self) -> dict[str, str]:
        """Declaration → total allocated to it."""
        assert self.state is not None
        sums: dict[str, Decimal] = {}
        for each in self.state.given:
            sums[each.declaration_id] = sums.get(each.declaration_id, Decimal(0)) + each.amount.amount
        return {id_: str(amount) for id_, amount in sums.items() if amount}

    def counted(self, id_: str, *, by: Any = None) -> dict[Key, Decimal]:
        """The amount of each payment that a declaration counts, by the declaration's own rules."""
        assert self.state is not None
        claims = in_force(each.claim for each in self.state.reports if each.declaration_id == id_)
        shares = [
            Share(each.publisher, each.payment_reference, each.amount, each.in_time, 1)
            for each in self.state.given
            if each.declaration_id == id_
        ]
        return {(each.publisher, each.payment_reference): each.amount for each in parts(claims, shares, "CNY", by=by)}


def test_one_payment_settles_the_oldest_deadline_and_releases_no_other() -> None:
    account = Account().learn(said(100, "p"), owed("D-2", 100, days=1), owed("D-1", 100))
    assert account.given == {"D-1": "100"}


def test_the_surplus_goes_to_the_next_deadline_or_waits() -> None:
    account = Account().learn(said(250, "p"))
    assert account.given == {}
    account.learn(owed("D-1", 100))
    assert account.given == {"D-1": "100"}
    account.learn(owed("D-2", 100, days=1))
    assert account.given == {"D-1": "100", "D-2": "100"}


def test_an_allocation_stays_when_an_older_deadline_becomes_known() -> None:
    account = Account().learn(said(100, "p"), owed("D-2", 100, days=5)).learn(owed("D-1", 100))
    assert account.given == {"D-2": "100"}


def test_a_reversal_reduces_the_latest_deadline_first_and_a_later_payment_refills_it() -> None:
    account = Account().learn(said(200, "p"), owed("D-1", 100), owed("D-2", 100, days=1))
    account.learn(back(50, "r"))
    assert account.given == {"D-1": "100", "D-2": "50"}
    account.learn(said(70, "q", payment_reference="B-2"))
    assert account.given == {"D-1": "100", "D-2": "100"}


def test_a_retraction_by_ucr_frees_the_allocation_and_may_arrive_first() -> None:
    sorry = said(100, "sorry", retracts="p")
    for news in ((said(100, "p"), sorry), (sorry, said(100, "p"))):
        account = Account().learn(news[0], owed("D-1", 100)).learn(news[1])
        assert account.given == {}


def test_a_payment_that_names_a_declaration_is_not_allocated_and_reduces_its_open_amount() -> None:
    account = Account().learn(said(100, "n", of="D-1", payment_reference="B-2"), said(100, "p"), owed("D-1", 100))
    assert account.given == {}
    assert account.learn(owed("D-2", 100, days=1)).given == {"D-2": "100"}


def test_a_payment_confirmed_for_the_ucr_and_again_for_a_declaration_is_one_payment() -> None:
    account = Account().learn(said(100, "p"), owed("D-1", 100), owed("D-2", 100, days=1))
    account.learn(said(100, "n", of="D-2"))
    assert account.counted("D-1") == {}
    assert account.counted("D-2") == {("bank-qd", "B-1"): Decimal(100)}


def test_a_reversal_by_ucr_reduces_named_payments() -> None:
    account = Account().learn(said(100, "n", of="D-1"), back(30, "r"), owed("D-1", 100))
    assert account.given == {"D-1": "-30"}
    assert account.counted("D-1") == {("bank-qd", "B-1"): Decimal(70)}


def test_a_reversal_larger_than_the_named_declarations_payment_reduces_the_others() -> None:
    account = Account().learn(said(200, "p"), owed("D-1", 100), owed("D-2", 100, days=1))
    account.learn(back(150, "r", of="D-1"))
    assert (account.counted("D-1"), account.counted("D-2")) == ({}, {("bank-qd", "B-1"): Decimal(50)})


def test_only_payments_received_by_the_deadline_count_as_paid_in_time() -> None:
    late = said(100, "p", at=NOW + timedelta(days=20))
    account = Account().learn(late, owed("D-1", 100), owed("D-2", 100, days=30))
    deadline = owed("D-1", 0).pay_by
    assert account.counted("D-1") == {("bank-qd", "B-1"): Decimal(100)}
    assert account.counted("D-1", by=deadline) == {}


def test_a_payment_in_another_currency_is_noted_without_effect_once_the_currency_is_known() -> None:
    account = Account().learn(said(100, "p", currency="USD"))
    account.learn(owed("D-1", 100))
    (*_, last) = [each.report.claim for each in account.events if isinstance(each, ReportNoted)]
    assert last.without_effect is WithoutEffect.PAYMENT_CURRENCY
    assert last.effect_parameters == {"owed": "CNY 100", "paid": "USD"}
    assert account.given == {}


def test_the_debt_in_several_currencies_is_reported_per_currency_and_again_when_it_grows() -> None:
    account = Account().learn(said(100, "p", currency="EUR"), owed("D-1", "1000.00"))
    dollars = Owed("D-2", yuan("20.00", "USD"), NOW)
    account.learn(dollars, owed("D-3", "300.00"))
    assert account.state is not None
    (report,) = account.state.reports
    assert report.claim.effect_parameters == {"owed": "CNY 1300.00, USD 20.00", "paid": "EUR"}
    told = len(account.events)
    assert len(account.learn(dollars).events) == told


def test_only_a_payment_that_names_only_the_ucr_opens_an_account() -> None:
    with pytest.raises(AccountMissing):
        Account().learn(owed("D-1", 100))
    with pytest.raises(AccountMissing):
        Account().learn(said(100, "n", of="D-1"))


AMOUNTS = st.integers(0, 300)
REPORTS = st.builds(
    lambda kind, amount, number, of, reference, retracts, days: said(
        amount,
        f"e-{number}",
        of=of,
        kind=kind,
        payment_reference=reference,
        retracts=retracts,
        at=NOW + timedelta(days=days),
    ),
    st.sampled_from([Kind.PAYMENT_CONFIRMED, Kind.PAYMENT_CONFIRMED, Kind.PAYMENT_REVERSED]),
    AMOUNTS,
    st.integers(0, 10_000),
    st.sampled_from([None, None, *NAMES]),
    st.sampled_from(["B-1", "B-2"]),
    st.one_of(st.none(), st.none(), st.none(), st.integers(0, 6).map(lambda number: f"e-{number}")),
    st.integers(-2, 40),
)
NEWS = st.lists(st.one_of(REPORTS, st.builds(owed, st.sampled_from(NAMES), AMOUNTS, st.integers(0, 20))), max_size=14)


def played(news: Sequence[Report | Owed]) -> Account:
    account = Account().learn(said(0, "opens", payment_reference="B-0"))
    seen: set[str] = set()
    for each in news:
        name = each.declaration_id if isinstance(each, Owed) else each.claim.event_id
        if name not in seen:  # an event has one content, a declaration one assessment
            seen.add(str(name))
            account.learn(each)
    return account


@settings(max_examples=400, deadline=None)
@given(NEWS)
def test_never_more_is_settled_than_was_confirmed_less_reversed_of_each_payment(news: list[Any]) -> None:
    account = played(news)
    assert account.state is not None
    standing = in_force(each.claim for each in account.state.reports)
    places = {each.claim.event_id: each.declaration_id for each in account.state.reports}
    came: dict[Any, Decimal] = {}
    for place in {*places.values()}:
        for key, amount in confirmed((each for each in standing if places[each.event_id] == place), "CNY").items():
            came[key] = came.get(key, Decimal(0)) + amount
    went = reversed_(standing, "CNY")
    counted = [account.counted(id_) for id_ in NAMES]
    for key in came.keys() | {key for each in counted for key in each}:
        settled = sum((each.get(key, Decimal(0)) for each in counted), Decimal(0))
        assert settled <= max(Decimal(0), came.get(key, Decimal(0)) - went.get(key, Decimal(0)))


@settings(max_examples=400, deadline=None)
@given(NEWS)
def test_nothing_waits_while_an_assessment_is_open_and_no_allocation_exceeds_it(news: list[Any]) -> None:
    account = played(news)
    assert account.state is not None
    pool = confirmed(
        [each.claim for each in account.state.reports if each.declaration_id is None and _stands(account, each)], "CNY"
    )
    paid = {id_: sum(account.counted(id_).values(), Decimal(0)) for id_ in NAMES}
    settled: dict[Any, Decimal] = {}
    for id_ in NAMES:
        for key, amount in account.counted(id_).items():
            settled[key] = settled.get(key, Decimal(0)) + amount
    went = reversed_(in_force(each.claim for each in account.state.reports), "CNY")
    free = sum(
        (
            max(Decimal(0), amount - went.get(key, Decimal(0)) - settled.get(key, Decimal(0)))
            for key, amount in pool.items()
        ),
        Decimal(0),
    )
    is_open = [each for each in account.state.owed if paid[each.declaration_id] < each.due.amount]
    assert not (free and is_open)


def _stands(account: Account, report: Report) -> bool:
    assert account.state is not None
    return report.claim in in_force(each.claim for each in account.state.reports)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 400), st.lists(AMOUNTS, min_size=3, max_size=3), st.permutations([0, 1, 2]))
def test_the_oldest_deadline_is_settled_before_the_next_gets_anything(
    amount: int, dues: list[int], order: list[int]
) -> None:
    debts = [owed(NAMES[place], due, days=place) for place, due in enumerate(dues)]
    account = Account().learn(said(amount, "p"), *(debts[place] for place in order))
    left = Decimal(amount)
    for debt in debts:
        gets = min(left, debt.due.amount)
        assert account.given.get(debt.declaration_id, "0") == str(gets)
        left -= gets


@settings(max_examples=200, deadline=None)
@given(NEWS)
def test_known_reports_add_nothing_and_the_events_rebuild_the_account(news: list[Any]) -> None:
    account = played(news)
    state = account.state
    assert state is not None
    again = decide(state, UpdateAccount(ID, UCR, state.reports, state.owed), NOW)
    assert again == ()
    folded: Settlement | None = None
    for event in account.events:
        folded = evolve(folded, event)
    assert folded == state
    numbers = [each.allocation for each in account.events if isinstance(each, Allocated)]
    assert numbers == list(range(1, len(numbers) + 1))


@settings(max_examples=200, deadline=None)
@given(NEWS)
def test_the_amount_paid_in_time_never_exceeds_what_was_received_by_then(news: list[Any]) -> None:
    account = played(news)
    assert account.state is not None
    for each in account.state.owed:
        counted, punctual = account.counted(each.declaration_id), account.counted(each.declaration_id, by=each.pay_by)
        for key, amount in punctual.items():
            assert amount <= counted.get(key, Decimal(0))
