"""Parses numbers by one grammar: ASCII digits, an optional minus, an optional fraction after a point.

No exponents, thousands separators, underscores, blanks or digits of other scripts.
"""

import re
from decimal import Decimal

from values.faults import NotOfItsForm

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]{1,19}")
MAX_DIGITS = 400
"""Longer than any real quantity; a longer text is refused unread."""


def read_decimal(text: str) -> Decimal:
    """A decimal number, exactly as written.

    Raises:
        NotOfItsForm: the text is not such a number.
    """
    if len(text) > MAX_DIGITS or not _DECIMAL.fullmatch(text):
        raise NotOfItsForm("number.decimal", text, "decimal number in ASCII digits, such as 1234.50")
    return Decimal(text)


def read_whole(text: str) -> int:
    """A whole number of at most 19 digits.

    Raises:
        NotOfItsForm: the text is not such a number.
    """
    if not _WHOLE.fullmatch(text):
        raise NotOfItsForm("number.whole", text, "whole number in ASCII digits")
    return int(text)


def is_digits(text: str) -> bool:
    """Whether a text is one or more ASCII digits and nothing else."""
    return text.isascii() and text.isdigit()
