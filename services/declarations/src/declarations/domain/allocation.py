"""Allocates payments that name only a UCR to its assessments, and takes them back.

    surplus  → the open assessment with the oldest deadline, up to the open amount, then the next
    shortage ← the latest deadline first: first allocated amounts, then named ones

For each payment (bank, its own reference, currency), the amounts counted by all declarations never exceed
what was confirmed less what was reversed. A reference that is confirmed for the UCR and for declarations is
one payment, of which the named amounts are a part. An allocation is only reduced by a shortage: it stays
even if another payment settles the same debt later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from declarations.domain.claims import Claim, in_force
from declarations.domain.declaration import Money
from declarations.domain.payments import NOTHING, Key, confirmed, payment_of, reversed_

_NEVER = datetime.max.replace(tzinfo=UTC)
"""Later than every deadline."""


@dataclass(frozen=True, slots=True)
class Owed:
    """The debt of one declaration's assessment."""

    declaration_id: str
    due: Money
    pay_by: datetime | None
    """None if nothing is to be paid."""

    @property
    def rank(self) -> tuple[datetime, str]:
        """Sort key: the oldest deadline first."""
        return self.pay_by or _NEVER, self.declaration_id


@dataclass(frozen=True, slots=True)
class Report:
    """A bank's report about a payment under a UCR."""

    declaration_id: str | None
    """The declaration that it names; None if it names only the UCR."""
    claim: Claim


Given: TypeAlias = Mapping[tuple[Key, str], Decimal]
"""(payment, declaration) → its share of what names only the UCR."""

Shares: TypeAlias = dict[tuple[Key, str], Decimal]


@dataclass(frozen=True, slots=True)
class _Payment:
    """One payment in one currency, according to the banks' reports."""

    key: Key
    available: Decimal
    """Confirmed less reversed amount."""
    own: Mapping[str, Decimal]
    """Declaration → amount it counts without a share; negative if more was reversed than was named for it."""
    named: frozenset[str]
    """Declarations for which it was confirmed by name."""


def allocate(reports: Sequence[Report], owed: Iterable[Owed], given: Given, currency: str) -> Shares:
    """The new shares, from the reports, the debts and the current shares."""
    table = _Table(_payments(reports, currency), [each for each in owed if each.due.currency == currency], dict(given))
    for payment in table.payments:
        table.take_back(payment)
    for payment in table.payments:
        table.allocate(payment)
    return table.shares


def in_time(reports: Sequence[Report], owed: Iterable[Owed], shares: Given, currency: str) -> Shares:
    """The part of each share that was received by its declaration's deadline; the oldest deadline is served first."""
    pooled = [each.claim for each in _in_force(reports) if each.declaration_id is None]
    found: Shares = {}
    used: dict[Key, Decimal] = {}
    for each in sorted(owed, key=lambda each: each.rank):
        punctual = confirmed(pooled, currency, by=each.pay_by)
        for (key, id_), amount in shares.items():
            if id_ == each.declaration_id:
                left = punctual.get(key, NOTHING) - used.get(key, NOTHING)
                found[key, id_] = amount if amount <= 0 else max(NOTHING, min(amount, left))
                used[key] = used.get(key, NOTHING) + max(NOTHING, found[key, id_])
    return found


class _Table:
    """The shares while they are being computed."""

    def __init__(self, payments: Sequence[_Payment], owed: Sequence[Owed], shares: Shares) -> None:
        self.payments = payments
        self.shares = shares
        self._owed = {each.declaration_id: each for each in owed}

    def take_back(self, payment: _Payment) -> None:
        """Reduce the counted amounts of a payment to what is available, the latest deadline first."""
        lacking = self._counted_in_all(payment) - payment.available
        latest_first = sorted(self._ids(payment), key=self._rank, reverse=True)
        for what in (self._given, self._counted):
            for id_ in latest_first:
                takes = min(lacking, what(payment, id_))
                if takes > 0:
                    self._count(payment, id_, self._counted(payment, id_) - takes)
                    lacking -= takes

    def allocate(self, payment: _Payment) -> None:
        """Allocate the surplus of a payment: first to declarations that it names, then by oldest deadline."""
        free = payment.available - self._counted_in_all(payment)
        for id_ in sorted(self._owed, key=lambda id_: (id_ not in payment.named, self._rank(id_))):
            counted = sum((self._counted(each, id_) for each in self.payments), NOTHING)
            gives = min(free, self._owed[id_].due.amount - counted)
            if gives > 0:
                self._count(payment, id_, self._counted(payment, id_) + gives)
                free -= gives

    def _counted(self, payment: _Payment, id_: str) -> Decimal:
        """The amount that a declaration counts of a payment, including its share."""
        return max(NOTHING, payment.own.get(id_, NOTHING) + self.shares.get((payment.key, id_), NOTHING))

    def _given(self, payment: _Payment, id_: str) -> Decimal:
        """The part of it that was allocated, not named."""
        return min(self._counted(payment, id_), max(NOTHING, self.shares.get((payment.key, id_), NOTHING)))

    def _counted_in_all(self, payment: _Payment) -> Decimal:
        return sum((self._counted(payment, id_) for id_ in self._ids(payment)), NOTHING)

    def _count(self, payment: _Payment, id_: str, amount: Decimal) -> None:
        """Set the share so that the declaration counts `amount`."""
        self.shares[payment.key, id_] = amount - payment.own.get(id_, NOTHING)

    def _ids(self, payment: _Payment) -> set[str]:
        return {*payment.own, *(id_ for key, id_ in self.shares if key == payment.key)}

    def _rank(self, id_: str) -> tuple[datetime, str]:
        """Sort key: the oldest deadline first, declarations without an assessment last."""
        return self._owed[id_].rank if id_ in self._owed else (_NEVER, id_)


def _payments(reports: Sequence[Report], currency: str) -> list[_Payment]:
    said = _in_force(reports)
    named = sorted({each.declaration_id for each in reports if each.declaration_id is not None})
    pool = confirmed((each.claim for each in said if each.declaration_id is None), currency)
    back = reversed_((each.claim for each in said), currency)
    by_name = {id_: confirmed((each.claim for each in said if each.declaration_id == id_), currency) for id_ in named}
    own = {id_: _own([each.claim for each in reports if each.declaration_id == id_], currency) for id_ in named}
    keys = dict.fromkeys(payment_of(each.claim) for each in reports)
    return [
        _Payment(
            key,
            max(
                NOTHING,
                max(pool.get(key, NOTHING), sum((each.get(key, NOTHING) for each in by_name.values()), NOTHING))
                - back.get(key, NOTHING),
            ),
            {id_: amounts[key] for id_, amounts in own.items() if key in amounts},
            frozenset(id_ for id_, amounts in by_name.items() if key in amounts),
        )
        for key in keys
    ]


def _in_force(reports: Sequence[Report]) -> list[Report]:
    """The reports in force within the whole UCR, because a retraction may name only the UCR."""
    standing = {each.event_id for each in in_force(report.claim for report in reports)}
    return [each for each in reports if each.claim.event_id in standing]


def _own(claims: Sequence[Claim], currency: str) -> dict[Key, Decimal]:
    """The amounts that a declaration counts from its own reports."""
    standing = in_force(claims)
    came, back = confirmed(standing, currency), reversed_(standing, currency)
    return {key: came.get(key, NOTHING) - back.get(key, NOTHING) for key in came.keys() | back}
