"""What everything behind the door relies on: values that fit into databases, calendars and screens.

No contract says it. A value beyond these bounds would pass here and fail where nobody can tell its sender.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from gateway.domain.faults import Fault

MAX_INTEGER = 2**63 - 1
YEARS = range(1900, 2201)
"""A day's shift to another time zone and a deadline's months stay inside of every calendar."""
MAX_TEXT = 2_000
"""Characters. References become keys, which stand in an event several times."""

_PROSE = frozenset({"description", "findings", "title"})
"""Fields that may have lines."""
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_INVISIBLE_IN_PROSE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of what stands beside them."""


def faults(value: Any, pointer: str = "") -> Iterator[Fault]:
    """Everything out of bounds in a contract's value; its depth is that of the contract."""
    match value:
        case BaseModel():
            for name in type(value).model_fields:
                yield from faults(getattr(value, name), f"{pointer}/{name}")
        case tuple():
            for index, each in enumerate(value):
                yield from faults(each, f"{pointer}/{index}")
        case str():
            yield from _of_text(value, pointer)
        case int() if abs(value) > MAX_INTEGER:
            yield Fault("field.out_of_range", pointer, {"limit": MAX_INTEGER})
        case datetime() if value.year not in YEARS:
            yield Fault("field.out_of_range", pointer, {"limit": f"{YEARS[0]}-{YEARS[-1]}"})


def _of_text(value: str, pointer: str) -> Iterator[Fault]:
    if len(value) > MAX_TEXT:
        yield Fault("field.too_long", pointer, {"limit": MAX_TEXT})
    prose = pointer.rpartition("/")[2] in _PROSE
    if (_INVISIBLE_IN_PROSE if prose else _INVISIBLE).search(value):
        yield Fault("field.empty", pointer)
