"""Check digits that no library we use knows: Kazakhstan and Iran.

Each function takes a value of the right form (digits, right length) and says whether its last
digit is right.
"""

_KZ_FIRST = tuple(range(1, 12))
_KZ_SECOND = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
_IR_WEIGHTS = (29, 27, 23, 19, 17) * 2

_ELEVEN = 11
_TEN = 10


def kazakh_bin(value: str) -> bool:
    """Whether a Kazakh BIN or IIN of 12 digits is right.

    Sum of the first eleven digits by weights 1..11, modulo 11; where that is 10, again by weights
    3..11,1,2; where that is 10 as well, no such number is issued.
    """
    digits = [int(digit) for digit in value]
    control = _weighted(digits, _KZ_FIRST)
    if control == _TEN:
        control = _weighted(digits, _KZ_SECOND)
    return control != _TEN and control == digits[-1]


def iranian_legal_id(value: str) -> bool:
    """Whether an Iranian national legal id of 11 digits follows the usual rule.

    Every one of the first ten digits is raised by the tenth digit plus two, weighted by
    29,27,23,19,17 twice, summed modulo 11; 10 counts as 0. Variants are in use: a number that
    fails is to be warned of, not refused.
    """
    digits = [int(digit) for digit in value]
    raised = digits[9] + 2
    control = sum((digit + raised) * weight for digit, weight in zip(digits[:10], _IR_WEIGHTS, strict=True)) % _ELEVEN
    return control % _TEN == digits[-1]


def _weighted(digits: list[int], weights: tuple[int, ...]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % _ELEVEN
