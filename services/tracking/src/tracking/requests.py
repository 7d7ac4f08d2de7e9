"""Validates request parameters: id, language, page. An invalid one is refused with 400 and its name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from chassis import rpc
from contracts.texts import LANGUAGES
from values.faults import SHOWN

T = TypeVar("T")

MAX_ID = 500
"""Maximum length of an id in characters."""
PAGE_SIZE, MAX_PAGE_SIZE = 50, 200
_SIZE = re.compile(r"0*[1-9][0-9]{0,5}")


@dataclass
class BadRequest(Exception):
    """An invalid parameter. `problem` is the code of its text under `tracking.problem.`."""

    problem: str
    value: str
    expected: str = ""


def language_of(parameters: Mapping[str, str]) -> str | None:
    """The language asked for; None if none is.

    Raises:
        BadRequest: it is not supported.
    """
    asked = parameters.get("lang")
    if asked is not None and asked not in LANGUAGES:
        raise BadRequest("language", asked[:SHOWN], ", ".join(LANGUAGES))
    return asked


def id_of(given: str) -> str:
    """The id.

    Raises:
        BadRequest: it is empty or too long.
    """
    if not given or len(given) > MAX_ID:
        raise BadRequest("id", given[:SHOWN], f"1–{MAX_ID}")
    return given


def page_size(parameters: Mapping[str, str]) -> int:
    """The page size.

    Raises:
        BadRequest: it is not a whole number within the limits.
    """
    size = parameters.get("page_size")
    if size is None:
        return PAGE_SIZE
    if not _SIZE.fullmatch(size) or int(size) > MAX_PAGE_SIZE:
        raise BadRequest("page_size", size[:SHOWN], f"1–{MAX_PAGE_SIZE}")
    return int(size)


def page_name(parameters: Mapping[str, str], of: str) -> str:
    """The name after which a page of the list `of` begins; empty for the first page.

    Raises:
        BadRequest: the token is not of this list.
    """
    return _begins(parameters, lambda token: rpc.id_of(token, of))


def page_place(parameters: Mapping[str, str], of: str) -> rpc.Place | None:
    """As `page_name`, for lists ordered by time and id."""
    return _begins(parameters, lambda token: rpc.place_of(token, of))


def _begins(parameters: Mapping[str, str], read: Callable[[str], T]) -> T:
    token = parameters.get("page_token", "")
    try:
        return read(token)
    except rpc.BadCursor:
        raise BadRequest("page_token", token[:SHOWN]) from None
