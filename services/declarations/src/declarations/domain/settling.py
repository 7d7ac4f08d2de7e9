"""What money can settle an assessment: that of its currency.

Which currency is owed is known from the assessment on. A payment that was noted before is judged then,
and noted again where it does not count, so that its bank and the payer read why.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from declarations.domain.claims import Claim, WithoutEffect


def judged(claim: Claim, owed: str | None) -> Claim:
    """The claim, without effect where it pays another currency than `owed`; None while that is not known."""
    if owed is None or claim.without_effect is not None or claim.retracts is not None:
        return claim
    if claim.amount is None or claim.amount.currency == owed:
        return claim
    parameters = {"owed": owed, "paid": claim.amount.currency}
    return replace(claim, without_effect=WithoutEffect.PAYMENT_CURRENCY, effect_parameters=parameters)


def in_other_currency(claims: Iterable[Claim], owed: str) -> Iterator[Claim]:
    """The claims that an assessment in a currency leaves without effect, as they are noted again."""
    for claim in claims:
        now = judged(claim, owed)
        if now is not claim:
            yield now
