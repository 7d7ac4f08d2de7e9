"""Where a page of a list ends, as an opaque cursor that is good for that list alone.

A list has a total order: it ends with what no two entries share, the id. A cursor holds the whole
place of the last entry that was shown, so that entries which share a moment are all reached, each once.
"""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

Place: TypeAlias = tuple[datetime, str]
"""Moment and id of an entry, in lists that are ordered by both."""

LONGEST = 2_048
"""Characters; no cursor of ours is longer."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadCursor(ValueError):
    """Not one of ours, or given for another list."""


def cursor(place: Place | str, of: str) -> str:
    """The cursor behind an entry of the list `of`: by moment and id, or by an id alone."""
    values = [place] if isinstance(place, str) else [(place[0] - _BEGINNING) // _MICROSECOND, place[1]]
    return base64.urlsafe_b64encode(json.dumps([of, *values], separators=(",", ":")).encode()).decode()


def place_of(given: str, of: str) -> Place | None:
    """The place behind which a page of the list `of` begins; None at the beginning.

    Raises:
        BadCursor: as it says.
    """
    if not given:
        return None
    match _read(given, of):
        case [int() as microseconds, str() as id_] if not isinstance(microseconds, bool):
            try:
                return _BEGINNING + microseconds * _MICROSECOND, id_
            except OverflowError:
                pass
    raise BadCursor(of)


def id_of(given: str, of: str) -> str:
    """The id behind which a page of the list `of` begins; empty at the beginning.

    Raises:
        BadCursor: as it says.
    """
    if not given:
        return ""
    match _read(given, of):
        case [str() as id_]:
            return id_
    raise BadCursor(of)


def _read(given: str, of: str) -> list[Any]:
    """What a cursor holds beside the name of its list."""
    try:
        if len(given) > LONGEST:
            raise BadCursor(of)
        found = json.loads(base64.b64decode(given, altchars=b"-_", validate=True))
        # No UTF-8 carries a lone surrogate, so no database does.
        json.dumps(found, ensure_ascii=False).encode()
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadCursor(of) from error
    if not isinstance(found, list) or found[:1] != [of]:
        raise BadCursor(of)
    return found[1:]
