"""Reads requests within limits: media type, body, page parameters."""

import asyncio
import re
from collections.abc import Sequence

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.domain.faults import Fault, Refused
from gateway.formats.cloudevents import essence

BODY_SECONDS = 30.0
"""Maximum time for a request's body, so that a slow sender does not hold a connection."""
PAGE = 50
MAX_PAGE = 200
_OF_LISTS = ("limit", "page")
_DIGITS = re.compile(r"[0-9]{1,20}")
_CHARSETS = ("", "utf-8", "utf8", "us-ascii")


def media_type(request: Request, taken: Sequence[str]) -> str:
    """The media type of the body, one of `taken`.

    Raises:
        Refused: another media type, not UTF-8, or compressed.
    """
    given = request.headers.get("content-type", "")
    kind = essence(given)
    if kind not in taken:
        raise Refused("media-type-not-read", found=kind or "-", taken=", ".join(taken))
    # The encoding of an XML document is determined by its reader.
    if charset(request) not in _CHARSETS and not kind.endswith("xml"):
        raise Refused("media-type-not-read", found=f"charset {charset(request)}", taken="charset utf-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused("media-type-not-read", found="content-encoding", taken="identity")
    return kind


def charset(request: Request) -> str:
    """The `charset` of the body's media type, in lower case; empty if it has none."""
    parameters = (part.partition("=") for part in request.headers.get("content-type", "").split(";")[1:])
    found = (value for name, _, value in parameters if name.strip().lower() == "charset")
    return next(found, "").strip('" ').lower()


async def body(request: Request, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """Read the body.

    Raises:
        Refused: it is longer than `limit` bytes, or not complete within `seconds`.
    """
    stated = request.headers.get("content-length", "")
    if _DIGITS.fullmatch(stated) and int(stated) > limit:
        raise Refused("too-large", limit=limit)
    parts = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                parts += part
                if len(parts) > limit:
                    raise Refused("too-large", limit=limit)
    except (TimeoutError, ClientDisconnect):
        raise Refused("body-incomplete", seconds=seconds) from None
    return bytes(parts)


def page_asked(request: Request) -> tuple[int, str]:
    """The page size and the cursor of a list request; an empty cursor is the first page.

    Raises:
        Refused: an unknown or repeated parameter, or a limit that is not a whole number from 1 to `MAX_PAGE`.
    """
    for name, _ in request.query_params.multi_items():
        if name not in _OF_LISTS or len(request.query_params.getlist(name)) > 1:
            fault = Fault("parameter.unknown", name, {"taken": ", ".join(_OF_LISTS)})
            raise Refused("invalid-parameter", [fault])
    limit = request.query_params.get("limit", str(PAGE))
    if not _DIGITS.fullmatch(limit) or not 1 <= int(limit) <= MAX_PAGE:
        raise Refused("invalid-parameter", [Fault("field.out_of_range", "limit", {"limit": MAX_PAGE})])
    return int(limit), request.query_params.get("page", "")


def bad_page() -> Refused:
    """The refusal of a cursor of another list."""
    return Refused("invalid-parameter", [Fault("parameter.page", "page")])
