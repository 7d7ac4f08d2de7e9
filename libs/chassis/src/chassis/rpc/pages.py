"""The page that a gRPC request asks for: its size and start, or a refusal that names the field."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import grpc

from chassis.rpc.paging import BadCursor, Place, cursor, id_of, place_of
from chassis.rpc.status import RpcError

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 200

T = TypeVar("T")


def page_size(asked: int, default: int = PAGE_SIZE, highest: int = MAX_PAGE_SIZE) -> int:
    """The size of a page; 0 asks for the default.

    Raises:
        RpcError: INVALID_ARGUMENT, the size is negative.
    """
    if asked < 0:
        raise refused("page_size", "is not negative")
    return min(asked or default, highest)


def page_place(token: str, of: str) -> Place | None:
    """The moment and id after which a page of the list `of` starts; None: at the beginning.

    Raises:
        RpcError: INVALID_ARGUMENT, the token is invalid or of another list.
    """
    try:
        return place_of(token, of)
    except BadCursor:
        raise _bad_token() from None


def page_id(token: str, of: str) -> str:
    """As `page_place`, for lists ordered by id alone; empty: at the beginning."""
    try:
        return id_of(token, of)
    except BadCursor:
        raise _bad_token() from None


def page_of(found: Sequence[T], size: int, of: str, place: Callable[[T], Place | str]) -> tuple[Sequence[T], str]:
    """A page of the list `of`, and the token of the next page: empty at the end.

    Args:
        found: up to `size` + 1 entries; the extra one shows that more follow.
        place: an entry's moment and id, or its id alone.
    """
    page = found[:size]
    return page, cursor(place(page[-1]), of) if len(found) > size else ""


def refused(field: str, rule: str) -> RpcError:
    """A refusal because of one field of a request."""
    return RpcError(grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID", f"{field} {rule}", [(field, rule)])


def _bad_token() -> RpcError:
    return refused("page_token", "must be a token that this service returned for the same list")
