"""What a request says, read with bounds: its media type, its body, who sends it."""

import asyncio
import re
from collections.abc import Sequence

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.domain.faults import Fault, Refused
from gateway.formats.cloudevents import essence

BODY_SECONDS = 30.0
"""A sender that trickles holds no connection for longer."""
PAGE = 50
MAX_PAGE = 200
_OF_LISTS = ("limit", "page")
_DIGITS = re.compile(r"[0-9]{1,20}")
_CHARSETS = ("", "utf-8", "utf8", "us-ascii")


def media_type(request: Request, taken: Sequence[str]) -> str:
    """The media type of the body, one of those taken.

    Raises:
        Refused: it is another one, not in UTF-8, or compressed.
    """
    given = request.headers.get("content-type", "")
    kind = essence(given)
    if kind not in taken:
        raise Refused("media-type-not-read", found=kind or "-", taken=", ".join(taken))
    # What an XML document is written in, its reader finds out.
    if charset(request) not in _CHARSETS and not kind.endswith("xml"):
        raise Refused("media-type-not-read", found=f"charset {charset(request)}", taken="charset utf-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused("media-type-not-read", found="content-encoding", taken="identity")
    return kind


def charset(request: Request) -> str:
    """The `charset` of the body's media type, in lower case; empty where it names none."""
    parameters = (part.partition("=") for part in request.headers.get("content-type", "").split(";")[1:])
    found = (value for name, _, value in parameters if name.strip().lower() == "charset")
    return next(found, "").strip('" ').lower()


async def body(request: Request, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """The body, as soon as it is known to be within bounds.

    Raises:
        Refused: it is longer than `limit` bytes, or does not come whole within `seconds`.
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
    """How many entries of a list are asked for, and the cursor behind which they begin; empty at the beginning.

    Raises:
        Refused: a parameter that lists have not, twice the same, or no whole number from 1 to `MAX_PAGE`.
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
    """The cursor is of another list, or of nobody."""
    return Refused("invalid-parameter", [Fault("parameter.page", "page")])
