"""Cleans log lines of secrets, personal data and overlong values.

Fields are masked by name and by the mark in their contract. Of objects of unknown type only the type is shown. Tokens,
credentials, addresses and refused input are removed from texts.
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
"""Maximum length of a value, in characters; a longer one is cut."""

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|authorization|cookie|credential|signature|(^|_)(token|api_?key|private_?key)s?$",
    re.IGNORECASE,
)
_CLEANING = (
    # Each with a marker that a text must contain before the pattern is tried: most texts contain none.
    # Pydantic quotes the refused input, which may be personal data.
    ("input_value=", re.compile(r"input_value=.*?, input_type=", re.DOTALL), f"input_value={MASK}, input_type="),
    # The database driver quotes the whole document of a refused write.
    ("': {", re.compile(r"op\\*': \{.*", re.DOTALL), f"op': {MASK}"),
    ("eyJ", re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), MASK),
    (" ", re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {MASK}"),
    ("://", re.compile(r"(?<=://)[^/\s@]+(?=@)"), MASK),
    # Anchored at word starts and without backtracking: otherwise long texts would take quadratic time.
    ("@", re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+(\.[\w-]+)+"), MASK),
)
_UNUSUAL = (*(sign for sign, _, _ in _CLEANING), "\\")
"""Markers in JSON rows that may need cleaning; in JSON, white space other than the blank is escaped."""


@lru_cache(1024)
def is_secret(name: str) -> bool:
    """Whether a field of this name is always masked."""
    return bool(_SECRET_NAME.search(name))


def is_clean(text: str) -> bool:
    """Whether `clean` would change no text in an encoded row."""
    return text.isascii() and not any(sign in text for sign in _UNUSUAL)


def masked(name: str, value: Any) -> Any:
    """A field's value, masked by the field's name or made safe to log."""
    return MASK if is_secret(name) and value else safe(value)


def safe(value: Any) -> Any:
    """A value in a form that is safe to log, consisting only of JSON values."""
    kind = type(value)  # nearly all values have these types, and `match` is slower
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
    """A contract's field, masked if it is marked as personal data."""
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
