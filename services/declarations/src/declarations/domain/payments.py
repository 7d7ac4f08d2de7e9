"""What counts as paid: payments that banks confirmed and did not reverse, and shares allocated by the UCR's account.

A bank's own reference identifies one payment. For each payment a declaration counts the amount last
confirmed for it, less what was reversed, plus its share of what names only the UCR; never below zero.
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
"""Identifies a payment: the bank's partner code, and the bank's own reference."""

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Share:
    """The total that the account of a UCR allocates to a declaration from one payment.

    Negative: part of what was confirmed for the declaration itself is taken back.
    """

    publisher: str
    payment_reference: BankReference
    """The bank's own reference of the payment."""
    amount: Money
    in_time: Decimal
    """The part that the gateway had received by the declaration's payment deadline."""
    allocation: int
    """Number of the account's allocation; the highest of a payment applies."""

    @property
    def key(self) -> Key:
        return self.publisher, self.payment_reference


@dataclass(frozen=True, slots=True)
class Part:
    """The amount of one payment that counts for a declaration."""

    publisher: str
    payment_reference: BankReference
    amount: Decimal


def confirmed(claims: Iterable[Claim], currency: str, *, by: datetime | None = None) -> dict[Key, Decimal]:
    """The amount last confirmed of each payment. `claims` are in force; `by` excludes those received later."""
    return {
        payment_of(claim): claim.amount.amount
        for claim in claims
        if claim.kind is Kind.PAYMENT_CONFIRMED
        and claim.amount is not None
        and claim.amount.currency == currency
        and (by is None or claim.received_at <= by)
    }


def reversed_(claims: Iterable[Claim], currency: str) -> dict[Key, Decimal]:
    """The total reversed of each payment. `claims` are in force."""
    sums: dict[Key, Decimal] = {}
    for claim in claims:
        if claim.kind is Kind.PAYMENT_REVERSED and claim.amount is not None and claim.amount.currency == currency:
            sums[payment_of(claim)] = sums.get(payment_of(claim), NOTHING) + claim.amount.amount
    return sums


def parts(claims: Iterable[Claim], shares: Iterable[Share], currency: str, *, by: datetime | None = None) -> list[Part]:
    """The amount of each payment that counts for a declaration. `claims` are in force.

    `by` excludes what was received later; an amount that no longer counts does not count as paid in time either.
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
    """The payment of a bank's claim."""
    return claim.publisher, claim.payment_reference or BankReference("")
