"""What a request asks for, checked: an id, a language, a page. What cannot be meant is refused by name, with 400."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from chassis import rpc
from contracts.texts import LANGUAGES
from values.faults import SHOWN

T = TypeVar("T")

MAX_ID = 500
"""Characters of the longest id that the timeline keeps."""
PAGE_SIZE, MAX_PAGE_SIZE = 50, 200
_SIZE = re.compile(r"0*[1-9][0-9]{0,5}")


@dataclass
class BadRequest(Exception):
    """A parameter that cannot be read. `problem` is the code of its text below `tracking.problem.`."""

    problem: str
    value: str
    expected: str = ""


def language_of(parameters: Mapping[str, str]) -> str | None:
    """The language that is asked for; None where none is.

    Raises:
        BadRequest: it is none of ours.
    """
    asked = parameters.get("lang")
    if asked is not None and asked not in LANGUAGES:
        raise BadRequest("language", asked[:SHOWN], ", ".join(LANGUAGES))
    return asked


def id_of(given: str) -> str:
    """An id as it was given.

    Raises:
        BadRequest: there is none, or none is as long.
    """
    if not given or len(given) > MAX_ID:
        raise BadRequest("id", given[:SHOWN], f"1–{MAX_ID}")
    return given


def page_size(parameters: Mapping[str, str]) -> int:
    """How many entries a page has.

    Raises:
        BadRequest: it is no whole number within the bounds.
    """
    size = parameters.get("page_size")
    if size is None:
        return PAGE_SIZE
    if not _SIZE.fullmatch(size) or int(size) > MAX_PAGE_SIZE:
        raise BadRequest("page_size", size[:SHOWN], f"1–{MAX_PAGE_SIZE}")
    return int(size)


def page_name(parameters: Mapping[str, str], of: str) -> str:
    """The name behind which a page of the list `of` begins; empty at the beginning.

    Raises:
        BadRequest: the token is not one of this list.
    """
    return _begins(parameters, lambda token: rpc.id_of(token, of))


def page_place(parameters: Mapping[str, str], of: str) -> rpc.Place | None:
    """As `page_name`, in lists that are ordered by moment and id."""
    return _begins(parameters, lambda token: rpc.place_of(token, of))


def _begins(parameters: Mapping[str, str], read: Callable[[str], T]) -> T:
    token = parameters.get("page_token", "")
    try:
        return read(token)
    except rpc.BadCursor:
        raise BadRequest("page_token", token[:SHOWN]) from None
