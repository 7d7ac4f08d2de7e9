"""Authentication of support staff: HTTP Basic with a password from a file."""

import base64
import binascii
import hmac
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request

MIN_PASSWORD = 12

Admits = Callable[[Request], bool]


class BadPasswordFile(Exception):
    """The password file cannot be read, or its password is too short."""


def staff_only(user: str, password_file: Path) -> Admits:
    """A function that checks a request's credentials in constant time.

    Raises:
        BadPasswordFile: there is no usable password.
    """
    try:
        password = password_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadPasswordFile(f"cannot read {password_file}: {error.strerror}") from error
    if len(password) < MIN_PASSWORD:
        raise BadPasswordFile(f"the password in {password_file} has fewer than {MIN_PASSWORD} characters")
    expected = f"{user}:{password}".encode()

    def admits(request: Request) -> bool:
        return hmac.compare_digest(_credentials(request), expected)

    return admits


def _credentials(request: Request) -> bytes:
    """`user:password` of the request; empty if missing or malformed."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
