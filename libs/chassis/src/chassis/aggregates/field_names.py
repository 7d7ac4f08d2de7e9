"""Escapes names so that the database accepts them as field names.

The database refuses names that are empty or contain a dot, a leading `$` or a null character, or stores them where no
query or update reaches them. These characters are written as `%` and two hexadecimal digits, the empty name as a
single `%`. All other names are stored unchanged, as earlier releases stored all names.
"""

import re
from collections.abc import Mapping
from typing import Any

_EMPTY = "%"
_UNFIT = re.compile(r"[.\0%]|^\$")
_WRITTEN = re.compile(r"%(2E|00|25|24)")


def escape(name: str) -> str:
    """The stored form of a name."""
    if name.isidentifier():  # nearly all
        return name
    return _UNFIT.sub(lambda found: f"%{ord(found[0]):02X}", name) or _EMPTY


def unescape(name: str) -> str:
    """The name of a stored form."""
    if "%" not in name:
        return name
    return "" if name == _EMPTY else _WRITTEN.sub(lambda found: chr(int(found[1], 16)), name)


def fits(name: str) -> bool:
    """Whether the database stores and finds a field of this name."""
    return bool(name) and "." not in name and "\0" not in name and not name.startswith("$")


def escaped(value: Any) -> Any:
    """A plain value with all its names escaped, at any depth."""
    return _renamed(value, escape)


def unescaped(value: Any) -> Any:
    """The reverse of `escaped`."""
    return _renamed(value, unescape)


def _renamed(value: Any, rename: Any) -> Any:
    if isinstance(value, Mapping):
        return {rename(name): _renamed(inner, rename) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(inner, rename) for inner in value]
    return value
