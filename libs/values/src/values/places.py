"""Places in normal form: a UN/LOCODE, and a place from which a partner may report.

A UN/LOCODE is the country's two letters and three more of letters or the digits 2 to 9; 0 and 1 are excluded because
they look like letters (UN/CEFACT Recommendation 16). The code lists check its country and whether it is listed.
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
        """The ISO 3166-1 country, if the code is valid."""
        return self[:2]

    def fault(self) -> TextFault | None:
        """It does not have the form of a UN/LOCODE."""
        if not self:
            return TextFault(EMPTY)
        return None if self._FORM.fullmatch(self) else TextFault(FORM)


@dataclass(frozen=True, slots=True)
class GrantedPlace:
    """One facility of a place (blanks normalised), or all of them."""

    unlocode: Locode
    facility: str | None = None
    """None: every facility of the place."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "facility", " ".join((self.facility or "").split()) or None)

    def __str__(self) -> str:
        return self.unlocode if self.facility is None else f"{self.unlocode}/{self.facility}"
