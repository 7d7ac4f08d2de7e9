"""What may stand in a log line: no secret, no personal data, nothing without end.

Fields are masked by name and by the mark in their contract, objects of unknown type are named and not shown, and
texts are cleaned of tokens, credentials, addresses and refused input.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from math import isfinite
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel

MASK = "•••"
MAX_TEXT = 8_000
"""Characters of one value; the rest of a longer one is cut."""

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|authorization|cookie|credential|signature|(^|_)(token|api_?key|private_?key)s?$",
    re.IGNORECASE,
)
_CLEANING = (
    # Each with what must stand in a text before the pattern is tried: most texts have none of it.
    # Pydantic shows what it refused; that may be a person's.
    ("input_value=", re.compile(r"input_value=.*?, input_type=", re.DOTALL), f"input_value={MASK}, input_type="),
    # The database's driver shows the whole document that a write was refused for.
    ("': {", re.compile(r"op\\*': \{.*", re.DOTALL), f"op': {MASK}"),
    ("eyJ", re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), MASK),
    (" ", re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {MASK}"),
    ("://", re.compile(r"(?<=://)[^/\s@]+(?=@)"), MASK),
    # From where a word begins and without a way back: else a long text without an address costs its square.
    ("@", re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+(\.[\w-]+)+"), MASK),
)
_UNUSUAL = (*(sign for sign, _, _ in _CLEANING), "\\")
"""What must stand in rows that need cleaning, once they are JSON: white space but for the blank is escaped there."""


@lru_cache(1024)
def is_secret(name: str) -> bool:
    """Whether a field of this name is masked, whatever stands in it."""
    return bool(_SECRET_NAME.search(name))


def is_clean(text: str) -> bool:
    """Whether `clean` leaves each text as it is that an encoded row is made of."""
    return text.isascii() and not any(sign in text for sign in _UNUSUAL)


def masked(name: str, value: Any) -> Any:
    """A field's value as it may stand in a log line, by its name and by what it is."""
    return MASK if is_secret(name) and value else safe(value)


def safe(value: Any) -> Any:
    """A value as it may stand in a log line, JSON through and through."""
    kind = type(value)  # nearly all are of these kinds, and a pattern takes long to see it
    if kind is str:
        return clean(value)
    if kind is int or kind is bool or value is None:
        return value
    if kind is list or kind is tuple:
        return [safe(each) for each in value]
    return _rarer(value)


def _rarer(value: Any) -> Any:
    match value:
        case float() if not isfinite(value):
            return str(value)
        case int() | float():
            return value
        case Enum():
            return safe(value.value)
        case str():
            return clean(value)
        case BaseException():
            return clean(f"{type(value).__name__}: {value}")
        case BaseModel():
            return {name: _field(value, name) for name in type(value).model_fields}
        case Mapping():
            return {str(name): masked(str(name), each) for name, each in value.items()}
        case bytes() | bytearray():
            return f"<{len(value)} bytes>"
        case Sequence() | set() | frozenset():
            return [safe(each) for each in value]
        case Decimal() | date() | UUID() | PurePath():
            return clean(str(value))
        case _:
            return f"<{type(value).__name__}>"


def _field(model: BaseModel, name: str) -> Any:
    """A contract's field, masked where it is marked as personal."""
    extra = type(model).model_fields[name].json_schema_extra
    marked = isinstance(extra, dict) and bool(extra.get("x-personal-data"))
    return MASK if marked or is_secret(name) else safe(getattr(model, name))


def clean(text: str) -> str:
    """A text without tokens, credentials, mail addresses and refused input, cut to its limit."""
    if not text.isascii():
        text = text.encode(errors="backslashreplace").decode()
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "…"
    unusual = not text.isprintable()  # a token may follow on any white space
    for sign, pattern, replacement in _CLEANING:
        if sign in text or unusual:
            text = pattern.sub(replacement, text)
    return text
