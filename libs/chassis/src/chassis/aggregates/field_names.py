"""Names of a document's fields, as the database takes them.

A dot parts a path, a leading `$` begins an operator, a null ends a name, and an empty one names nothing: the database
refuses such names, or stores what no query and no update reaches. So they are written with `%` and two hexadecimal
digits, the empty one as a single `%`. A name that is written as it is is read as it is, which is how earlier releases
wrote all of them.
"""

import re
from collections.abc import Mapping
from typing import Any

_EMPTY = "%"
_UNFIT = re.compile(r"[.\0%]|^\$")
_WRITTEN = re.compile(r"%(2E|00|25|24)")


def escape(name: str) -> str:
    """A name as it is stored."""
    if name.isidentifier():  # nearly all
        return name
    return _UNFIT.sub(lambda found: f"%{ord(found[0]):02X}", name) or _EMPTY


def unescape(name: str) -> str:
    """The name that is stored so."""
    if "%" not in name:
        return name
    return "" if name == _EMPTY else _WRITTEN.sub(lambda found: chr(int(found[1], 16)), name)


def fits(name: str) -> bool:
    """Whether the database stores and finds a field of this name."""
    return bool(name) and "." not in name and "\0" not in name and not name.startswith("$")


def escaped(value: Any) -> Any:
    """A plain value as it is stored, however deep its names are."""
    return _renamed(value, escape)


def unescaped(value: Any) -> Any:
    """The plain value that is stored so."""
    return _renamed(value, unescape)


def _renamed(value: Any, rename: Any) -> Any:
    if isinstance(value, Mapping):
        return {rename(name): _renamed(inner, rename) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(inner, rename) for inner in value]
    return value
