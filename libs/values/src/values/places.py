"""Places in normal form: a UN/LOCODE, and the place that a partner may report from.

A UN/LOCODE has two letters of a country and three of letters or the digits 2 to 9, since 0 and 1 look like letters
(UN/CEFACT Recommendation 16). Whether its country exists, and whether it is listed, the code lists say.
"""

import re
from dataclasses import dataclass

from values.faults import TextFault
from values.identifiers import compact
from values.references import EMPTY, Reference

FORM = "locode.form"


class Locode(Reference):
    """A UN/LOCODE without blanks, in upper case."""

    __slots__ = ()

    _FORM = re.compile(r"[A-Z]{2}[A-Z2-9]{3}")

    @classmethod
    def normal(cls, written: str) -> str:
        return compact(written)

    @property
    def country(self) -> str:
        """Of ISO 3166-1, where the code is one."""
        return self[:2]

    def fault(self) -> TextFault | None:
        """Not of the form."""
        if not self:
            return TextFault(EMPTY)
        return None if self._FORM.fullmatch(self) else TextFault(FORM)


@dataclass(frozen=True, slots=True)
class GrantedPlace:
    """One facility of a place, with single blanks within and none around, or every one."""

    unlocode: Locode
    facility: str | None = None
    """None: every facility of the place."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "facility", " ".join((self.facility or "").split()) or None)

    def __str__(self) -> str:
        return self.unlocode if self.facility is None else f"{self.unlocode}/{self.facility}"
