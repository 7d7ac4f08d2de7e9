"""Checks the codes of projects and mandates against code lists.

Fields are selected by name, so a new field with the same name is checked too. The codes of a declaration are checked by
the declarations service, the place of a partner event by `partners.plausible`.
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
"""Stages of a project in its contract."""


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
"""Field → code of the fault, and the check of its value."""


def code_faults(value: Payload, prefix: str = "") -> list[Fault]:
    """A fault for every unknown code."""
    wrong = (
        Fault(JUDGED[name][0], pointer, value=code)
        for name, code, pointer in _codes(value, prefix)
        if not JUDGED[name][1](code)
    )
    return list(islice(wrong, MAX_FAULTS))


def _codes(value: Any, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Field, code and pointer of every code; for a code in a list, the field is the list's."""
    for each, pointer in leaves(value, prefix):
        *_, name, last = ("", *pointer.split("/"))
        name = last if last in JUDGED else name
        if isinstance(each, str) and name in JUDGED:
            yield name, each, pointer
