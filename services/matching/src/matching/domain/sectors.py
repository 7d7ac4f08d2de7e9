"""The tree of economic activities: ISIC Rev.4 sections, divisions, groups and classes.

Source: United Nations, International Standard Industrial Classification of All Economic Activities,
Revision 4. A code is a section letter (`C`) or two to four digits (`29`, `291`, `2910`); the section
of digits follows from the first two.
"""

from collections.abc import Iterable

from values.numbers import is_digits

_FIRST_DIVISIONS = (
    ("A", 1, 3),
    ("B", 5, 9),
    ("C", 10, 33),
    ("D", 35, 35),
    ("E", 36, 39),
    ("F", 41, 43),
    ("G", 45, 47),
    ("H", 49, 53),
    ("I", 55, 56),
    ("J", 58, 63),
    ("K", 64, 66),
    ("L", 68, 68),
    ("M", 69, 75),
    ("N", 77, 82),
    ("O", 84, 84),
    ("P", 85, 85),
    ("Q", 86, 88),
    ("R", 90, 93),
    ("S", 94, 96),
    ("T", 97, 98),
    ("U", 99, 99),
)
"""Section, its first and its last division (inclusive)."""

DEPTH = 4
"""Section, division, group, class."""

_SHORTEST_DIGITS = 2


def path(code: str) -> tuple[str, ...]:
    """The codes from the section down to `code` itself; empty if the code is not in the tree."""
    code = code.strip().upper()
    if any(code == section for section, _, _ in _FIRST_DIVISIONS):
        return (code,)
    if not (is_digits(code) and _SHORTEST_DIGITS <= len(code) <= DEPTH):
        return ()
    division = int(code[:2])
    section = next((name for name, first, last in _FIRST_DIVISIONS if first <= division <= last), None)
    if section is None:
        return ()
    return (section, *(code[:length] for length in range(_SHORTEST_DIGITS, len(code) + 1)))


def covers(wide: str, narrow: str) -> bool:
    """Whether `narrow` is `wide` itself or below it."""
    above, below = path(wide), path(narrow)
    return bool(above) and below[: len(above)] == above


def common_depth(one: str, other: str) -> int:
    """Number of levels that two codes share, 0 to 4, counted from the section."""
    depth = 0
    for left, right in zip(path(one), path(other), strict=False):
        if left != right:
            break
        depth += 1
    return depth


def nearest(code: str, choices: Iterable[str]) -> tuple[str, int]:
    """The choice that shares most levels with `code`, and that number; `("", 0)` if none shares any."""
    best, depth = "", 0
    for choice in sorted(choices):
        shared = common_depth(code, choice)
        if shared > depth:
            best, depth = choice, shared
    return best, depth
