"""Opaque tokens that say where the next page of a list begins, good for that list alone."""

import base64
import binascii
import json

Mark = tuple[str, str]
"""Sort value and id of the last entry of the page before."""


class BadPageToken(Exception):
    """Not one of ours, or given for another list."""


def write_token(mark: Mark, of: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([*mark, of]).encode()).decode()


def read_token(token: str, of: str) -> Mark | None:
    """Where a page begins; None at the beginning of the list `of`.

    Raises:
        BadPageToken: as it says.
    """
    if not token:
        return None
    try:
        value, id_, given = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadPageToken from error
    if given != of or not isinstance(value, str) or not isinstance(id_, str):
        raise BadPageToken
    return value, id_
