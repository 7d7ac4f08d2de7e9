"""The content of a submission independent of spelling: its normal form and its hash."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def in_normal_form(given: Any, read: Any) -> Any:
    """The given values with each string replaced by its normal form in the contract."""
    if isinstance(given, Mapping) and isinstance(read, BaseModel):
        known = type(read).model_fields
        return {
            name: in_normal_form(value, getattr(read, name) if name in known else None) for name, value in given.items()
        }
    if isinstance(given, list) and isinstance(read, tuple):
        return [in_normal_form(each, model) for each, model in zip(given, read, strict=True)]
    return str(read) if isinstance(given, str) and isinstance(read, str) else given


def content_hash(*values: Any) -> str:
    """A hash of plain values that does not depend on the order of names or on white space."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
