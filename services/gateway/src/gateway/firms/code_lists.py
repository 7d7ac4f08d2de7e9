"""Codes in what firms submit to be matched, against their lists.

A field is known by its name, so that a new field of the same name is judged too. A declaration's codes are its owner's
to judge, a partner event's place is judged with what else is plausible about it.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from contracts import codes
from contracts.values import Payload
from gateway.domain.faults import Fault
from gateway.formats.bounds import leaves
from gateway.formats.validation import MAX_FAULTS

STAGES = frozenset({"idea", "feasibility", "construction", "operating"})
"""Of a project, as its contract names them."""


def _is_country(code: str) -> bool:
    return code in codes.countries()


def _is_language(code: str) -> bool:
    return code in codes.languages()


JUDGED: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "country": ("code.country", _is_country),
    "countries": ("code.country", _is_country),
    "excluded_countries": ("code.country", _is_country),
    "sector": ("code.activity", codes.is_activity),
    "sectors": ("code.activity", codes.is_activity),
    "excluded_sectors": ("code.activity", codes.is_activity),
    "languages": ("code.language", _is_language),
    "stage": ("code.stage", STAGES.__contains__),
    "stages": ("code.stage", STAGES.__contains__),
}
"""Field → code of the fault, and what a value of it must be."""


def code_faults(value: Payload, prefix: str = "") -> list[Fault]:
    """Every code that is on no list."""
    wrong = (
        Fault(JUDGED[name][0], pointer, value=code)
        for name, code, pointer in _codes(value, prefix)
        if not JUDGED[name][1](code)
    )
    return list(islice(wrong, MAX_FAULTS))


def _codes(value: Any, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Field, code and pointer of every code; of a list the field is the list's."""
    for each, pointer in leaves(value, prefix):
        *_, name, last = ("", *pointer.split("/"))
        name = last if last in JUDGED else name
        if isinstance(each, str) and name in JUDGED:
            yield name, each, pointer
