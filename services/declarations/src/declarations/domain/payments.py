"""What counts as paid: what banks confirmed and did not take back, and what an account of the UCR gave or took.

A bank's own reference names one payment. Per reference a declaration counts what was confirmed for it
last, less what was reversed, plus its share of the money that named the UCR alone; never below zero.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from declarations.domain.claims import Claim, Kind
from declarations.domain.declaration import Money
from values.payments import BankReference

Key: TypeAlias = tuple[str, BankReference]
"""A bank's payment: the bank's code on the platform, and its own reference."""

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Share:
    """What the account of a UCR gives a declaration of one payment, in all; below zero it takes named money back."""

    publisher: str
    payment_reference: BankReference
    """The bank's own."""
    amount: Money
    in_time: Decimal
    """The part that the door had by the declaration's payment deadline."""
    allocation: int
    """Numbers what the account gave and took; the highest of a payment holds."""

    @property
    def key(self) -> Key:
        return self.publisher, self.payment_reference


@dataclass(frozen=True, slots=True)
class Part:
    """What counts of one payment for one declaration."""

    publisher: str
    payment_reference: BankReference
    amount: Decimal


def confirmed(claims: Iterable[Claim], currency: str, *, by: datetime | None = None) -> dict[Key, Decimal]:
    """What was confirmed of each payment last. `claims` are in force; `by` leaves out what the door had later."""
    return {
        payment_of(claim): claim.amount.amount
        for claim in claims
        if claim.kind is Kind.PAYMENT_CONFIRMED
        and claim.amount is not None
        and claim.amount.currency == currency
        and (by is None or claim.received_at <= by)
    }


def reversed_(claims: Iterable[Claim], currency: str) -> dict[Key, Decimal]:
    """What was taken back of each payment, in all. `claims` are in force."""
    sums: dict[Key, Decimal] = {}
    for claim in claims:
        if claim.kind is Kind.PAYMENT_REVERSED and claim.amount is not None and claim.amount.currency == currency:
            sums[payment_of(claim)] = sums.get(payment_of(claim), NOTHING) + claim.amount.amount
    return sums


def parts(claims: Iterable[Claim], shares: Iterable[Share], currency: str, *, by: datetime | None = None) -> list[Part]:
    """What counts of each payment for a declaration. `claims` are in force.

    `by` leaves out what the door had later; what no longer counts in the end did not come in time either.
    """
    claims, shares = tuple(claims), tuple(shares)
    counted = _counted(claims, shares, currency, None)
    if by is not None:
        punctual = _counted(claims, shares, currency, by)
        counted = {key: min(amount, punctual.get(key, NOTHING)) for key, amount in counted.items()}
    return [Part(*key, counted[key]) for key in sorted(counted) if counted[key] > 0]


def _counted(
    claims: Sequence[Claim], shares: Sequence[Share], currency: str, by: datetime | None
) -> dict[Key, Decimal]:
    came, back = confirmed(claims, currency, by=by), reversed_(claims, currency)
    given = {
        each.key: each.amount.amount if by is None else each.in_time
        for each in shares
        if each.amount.currency == currency
    }
    return {
        key: came.get(key, NOTHING) - back.get(key, NOTHING) + given.get(key, NOTHING) for key in came.keys() | given
    }


def total(found: Iterable[Part]) -> Decimal:
    return sum((each.amount for each in found), NOTHING)


def payment_of(claim: Claim) -> Key:
    """The payment that a bank's claim is about."""
    return claim.publisher, claim.payment_reference or BankReference("")
