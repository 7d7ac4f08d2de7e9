"""The declaration number of China: office (4), year (4), flag (1 import, 0 export), serial (9).

The serial must be unique within office, year and flag, without a counter on which every acceptance
would wait. Each declaration has an endless sequence of candidates, derived from its own id. The first
free one is reserved during the look-up of the parties, by inserting a claim document whose `_id` is
office, flag and serial. Reserving again follows the same sequence and gives the same serial. The year
is not part of the reservation, so a serial is unique in every year.
"""

import hashlib
import re

from declarations.domain.declaration import Direction

FOREIGN_OFFICE = "0000"
"""Used if the office's code is not four digits (foreign offices) or no office is given."""

_SERIALS = 10**9


def office_digits(customs_office: str | None) -> str:
    """The four digits of the office."""
    return customs_office if customs_office and re.fullmatch(r"[0-9]{4}", customs_office) else FOREIGN_OFFICE


def flag(direction: Direction) -> str:
    return "1" if direction is Direction.IMPORT else "0"


def candidate(declaration_id: str, attempt: int) -> str:
    """A candidate serial of a declaration; attempts count from 0."""
    digest = hashlib.sha256(f"{declaration_id}/{attempt}".encode()).digest()
    return f"{int.from_bytes(digest[:8]) % _SERIALS:09d}"


def compose(customs_office: str | None, year: int, direction: Direction, serial: str) -> str:
    """The declaration number of eighteen digits."""
    return f"{office_digits(customs_office)}{year:04d}{flag(direction)}{serial}"
