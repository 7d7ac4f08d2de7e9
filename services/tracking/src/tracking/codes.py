"""Finds the enumerated fields of each event type in the contracts, so that no list has to be maintained."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, get_args

from contracts.events import event_types

_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


def name_of(enumeration: type[StrEnum]) -> str:
    """`CaseReason` → `case_reason`; the words of its members are under `tracking.code.<name>`."""
    return _WORD_START.sub("_", enumeration.__name__).lower()


@cache
def enumerations(type_: str) -> Mapping[str, str]:
    """Field → name of its enumeration, for an event type; empty for an unknown type."""
    known = event_types().get(type_)
    if known is None:
        return {}
    fields = known.payload.model_fields.items()
    return {name: name_of(found) for name, field in fields for found in enumerations_in(field.annotation)}


def enumerations_in(annotation: Any) -> Iterator[type[StrEnum]]:
    """The enumerations in a field's type, including unions and lists."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        yield annotation
    for inner in get_args(annotation):
        yield from enumerations_in(inner)
