"""A payment can settle an assessment only in its currency.

The currency owed is known from the assessment on. A payment noted earlier is judged then, and noted
again if it has no effect, so that its bank and the payer are told why.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from declarations.domain.claims import Claim, WithoutEffect


def judged(claim: Claim, owed: str | None) -> Claim:
    """The claim, marked without effect if it pays in a currency other than `owed` (None: not known yet)."""
    if owed is None or claim.without_effect is not None or claim.retracts is not None:
        return claim
    if claim.amount is None or claim.amount.currency == owed:
        return claim
    parameters = {"owed": owed, "paid": claim.amount.currency}
    return replace(claim, without_effect=WithoutEffect.PAYMENT_CURRENCY, effect_parameters=parameters)


def in_other_currency(claims: Iterable[Claim], owed: str) -> Iterator[Claim]:
    """The claims that an assessment in a currency leaves without effect, marked so."""
    for claim in claims:
        now = judged(claim, owed)
        if now is not claim:
            yield now
