"""Splits an amount by weight, exactly: the largest-remainder method.

Each part is its share rounded down to the minor unit; the remaining units go one each to the parts
with the largest remainders, in order for equal ones. So no part is negative, none differs from its
exact share by more than one unit, and the parts add up to the amount.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction


def apportion(total: Decimal, weights: Sequence[Decimal], *, minor_units: int) -> list[Decimal]:
    """The parts of `total`, one per weight, in units of 10^-`minor_units`.

    Raises:
        ValueError: the amount or a weight is negative, all weights are zero, or the amount has a
            fraction of the minor unit, so no parts can add up to it.
    """
    units = Fraction(total.scaleb(minor_units))
    shares_of = [Fraction(weight) for weight in weights]
    whole = sum(shares_of, Fraction(0))
    if units < 0 or min(shares_of, default=Fraction(0)) < 0 or not whole or units.denominator != 1:
        raise ValueError(f"{total} cannot be split by {weights} to {minor_units} decimals")
    exact = [units * weight / whole for weight in shares_of]
    parts = [share.numerator // share.denominator for share in exact]
    left_over = int(units) - sum(parts)
    most_rounded = sorted(range(len(exact)), key=lambda index: parts[index] - exact[index])
    for index in most_rounded[:left_over]:
        parts[index] += 1
    return [Decimal(int(part)).scaleb(-minor_units) for part in parts]
