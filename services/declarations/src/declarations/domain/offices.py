"""Customs offices: which are known by name, and what the code of any other looks like.

Every administration numbers its offices in its own way, and nobody keeps a list of the world's. An
office that this customs works with is a row; any other is judged by the forms that administrations
use, so that an office which exists is never refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from values.places import Locode


@dataclass(frozen=True, slots=True)
class Office:
    """A customs office that is known by name."""

    code: str
    names: Mapping[str, str]
    """By language: zh, ru, en, as far as known."""
    place: Locode | None
    """UN/LOCODE of where it is; none for a district's head without a place of its own."""
    zone: ZoneInfo
    """Whose calendar its days are."""
    hosted: bool
    """Whether the platform decides for it; a connected office decides itself, by its own events."""


@dataclass(frozen=True, slots=True)
class OfficeForm:
    """How an administration writes its offices' codes."""

    country: str | None
    """ISO 3166; none where the code begins with the country."""
    pattern: str
    """Of the whole code."""
    districts: frozenset[str] = frozenset()
    """What a code begins with, where that is a closed list."""

    def fits(self, code: str, countries: frozenset[str]) -> bool:
        """Whether a code has this form."""
        if re.fullmatch(self.pattern, code) is None:
            return False
        if self.country is None and code[:2] not in countries:
            return False
        return not self.districts or any(code.startswith(each) for each in self.districts)


@dataclass(frozen=True, slots=True)
class Offices:
    listed: Mapping[str, Office]
    """By code."""
    forms: tuple[OfficeForm, ...]
    countries: frozenset[str]
    """Whose offices are listed by name, ISO 3166."""

    def find(self, code: str | None) -> Office | None:
        """The office of a code; none where it is not known by name."""
        return self.listed.get(code) if code is not None else None

    def form_of(self, code: str, countries: frozenset[str]) -> OfficeForm | None:
        """The first form that a code has; none where no administration writes its offices so."""
        return next((form for form in self.forms if form.fits(code, countries)), None)
