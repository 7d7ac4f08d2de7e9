"""Opaque cursors for the end of a page, each valid for one list only.

A list has a total order whose last key is the unique id. A cursor holds all keys of the last entry shown, so entries
with the same moment are each listed exactly once.
"""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

Place: TypeAlias = tuple[datetime, str]
"""Moment and id of an entry, for lists ordered by both."""

LONGEST = 2_048
"""Maximum length of a cursor, in characters."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadCursor(ValueError):
    """The cursor is invalid, or of another list."""


def cursor(place: Place | str, of: str) -> str:
    """The cursor after an entry of the list `of`, from moment and id, or from the id alone."""
    values = [place] if isinstance(place, str) else [(place[0] - _BEGINNING) // _MICROSECOND, place[1]]
    return base64.urlsafe_b64encode(json.dumps([of, *values], separators=(",", ":")).encode()).decode()


def place_of(given: str, of: str) -> Place | None:
    """The place after which a page of the list `of` starts; None: at the beginning.

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
    """The id after which a page of the list `of` starts; empty: at the beginning.

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
    """The contents of a cursor, without the name of its list."""
    try:
        if len(given) > LONGEST:
            raise BadCursor(of)
        found = json.loads(base64.b64decode(given, altchars=b"-_", validate=True))
        # A lone surrogate cannot be encoded as UTF-8, so no stored value contains one.
        json.dumps(found, ensure_ascii=False).encode()
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadCursor(of) from error
    if not isinstance(found, list) or found[:1] != [of]:
        raise BadCursor(of)
    return found[1:]
