"""Check digits that our libraries do not implement: Kazakhstan and Iran.

Each function takes a value of the right form (digits, right length) and returns whether its check
digit, the last one, is right.
"""

_KZ_FIRST = tuple(range(1, 12))
_KZ_SECOND = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
_IR_WEIGHTS = (29, 27, 23, 19, 17) * 2

_ELEVEN = 11
_TEN = 10


def kazakh_bin(value: str) -> bool:
    """Whether the check digit of a Kazakh BIN or IIN (12 digits) is right.

    Sum of the first eleven digits with weights 1..11, modulo 11; if that is 10, again with weights
    3..11,1,2; if that is 10 too, no such number is issued.
    """
    digits = [int(digit) for digit in value]
    control = _weighted(digits, _KZ_FIRST)
    if control == _TEN:
        control = _weighted(digits, _KZ_SECOND)
    return control != _TEN and control == digits[-1]


def iranian_legal_id(value: str) -> bool:
    """Whether an Iranian national legal id (11 digits) follows the usual rule.

    The tenth digit plus two is added to each of the first ten digits; these are weighted by
    29,27,23,19,17 twice and summed modulo 11; 10 counts as 0. Variants are in use, so a number that
    fails gets a warning and is not refused.
    """
    digits = [int(digit) for digit in value]
    raised = digits[9] + 2
    control = sum((digit + raised) * weight for digit, weight in zip(digits[:10], _IR_WEIGHTS, strict=True)) % _ELEVEN
    return control % _TEN == digits[-1]


def _weighted(digits: list[int], weights: tuple[int, ...]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % _ELEVEN
