"""Parses the mail addresses that registry gives: one plain address, or none."""

import hashlib
import re

LONGEST = 254
"""RFC 5321 4.5.3.1.3, without the angle brackets."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def parse_address(text: str) -> str | None:
    """The address with its domain in ASCII; None unless it is exactly one plain address (RFC 5321, dot-string)."""
    local, at, domain = text.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    address = f"{local}@{ascii_domain}"
    labels = ascii_domain.split(".")
    plain = at and _LOCAL.fullmatch(local) and all(_LABEL.fullmatch(label) for label in labels)
    return address if plain and len(local) <= 64 and len(address) <= LONGEST else None  # noqa: PLR2004 - RFC 5321 4.5.3.1.1


def route_of(address: str) -> str:
    """A short hash of the address's domain."""
    return hashlib.sha256(address.rpartition("@")[2].encode()).hexdigest()[:12]
