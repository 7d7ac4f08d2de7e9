"""The declaration number of China: office (4), year (4), flag (1 import, 0 export), serial (9).

The serial must be unique within office, year and flag without a counter that every acceptance
waits for. Each declaration has an endless row of candidates, derived from its own id; the first
that nobody else holds is reserved while the registry is asked, by inserting a claim document whose
`_id` is office, flag and serial. Asking again walks the same row and ends at the same serial. The
year is not part of the reservation, so what is unique there is unique in every year.
"""

import hashlib
import re

from declarations.domain.declaration import Direction

FOREIGN_OFFICE = "0000"
"""Stands for offices whose code is not four digits: foreign ones, and where none is given."""

_SERIALS = 10**9


def office_digits(customs_office: str | None) -> str:
    """The office's four digits in a number."""
    return customs_office if customs_office and re.fullmatch(r"[0-9]{4}", customs_office) else FOREIGN_OFFICE


def flag(direction: Direction) -> str:
    return "1" if direction is Direction.IMPORT else "0"


def candidate(declaration_id: str, attempt: int) -> str:
    """The serial that a declaration tries to reserve, counting attempts from 0."""
    digest = hashlib.sha256(f"{declaration_id}/{attempt}".encode()).digest()
    return f"{int.from_bytes(digest[:8]) % _SERIALS:09d}"


def compose(customs_office: str | None, year: int, direction: Direction, serial: str) -> str:
    """The eighteen digits."""
    return f"{office_digits(customs_office)}{year:04d}{flag(direction)}{serial}"
