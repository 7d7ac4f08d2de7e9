"""What a request says, read with bounds: its media type, its body, who sends it."""

import asyncio
from collections.abc import Sequence

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.cloudevents import essence
from gateway.domain.faults import Fault, Refused

BODY_SECONDS = 30.0
"""A sender that trickles holds no connection for longer."""
_CHARSETS = ("utf-8", "utf8", "us-ascii")


def media_type(request: Request, taken: Sequence[str]) -> str:
    """The media type of the body, one of those taken.

    Raises:
        Refused: it is another one, not in UTF-8, or compressed.
    """
    given = request.headers.get("content-type", "")
    kind = essence(given)
    if kind not in taken:
        raise Refused("media-type-not-read", found=kind or "-", taken=", ".join(taken))
    charset = next(
        (part.partition("=")[2] for part in given.split(";")[1:] if part.strip().lower().startswith("charset=")), ""
    )
    # An XML document names its own encoding, and its parser knows which.
    if charset.strip('" ').lower() not in ("", *_CHARSETS) and not kind.endswith("xml"):
        raise Refused("media-type-not-read", found=f"charset {charset[:40]}", taken="charset utf-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused("media-type-not-read", found="content-encoding", taken="identity")
    return kind


async def body(request: Request, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """The body, as soon as it is known to be within bounds.

    Raises:
        Refused: it is longer than `limit` bytes, or does not come whole within `seconds`.
    """
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and int(stated[:20]) > limit:
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


def number(request: Request, name: str, default: int, highest: int) -> int:
    """A query parameter that counts.

    Raises:
        Refused: it is not a whole number from 1 to `highest`.
    """
    given = request.query_params.get(name)
    if given is None:
        return default
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:9]) <= highest:
        raise Refused("invalid-parameter", [Fault("field.out_of_range", name, {"limit": highest})])
    return int(given)
