"""Customs offices: the listed ones, and the code forms of all others.

Every administration numbers its offices in its own way, and there is no list of all of them. The
offices that this customs works with are listed; any other is checked by the forms that
administrations use, so that an existing office is never refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from values.places import Locode


@dataclass(frozen=True, slots=True)
class Office:
    """A listed customs office."""

    code: str
    names: Mapping[str, str]
    """Language (zh, ru, en) → name, as far as known."""
    place: Locode | None
    """Its UN/LOCODE; None for the head office of a district without a place of its own."""
    zone: ZoneInfo
    """The time zone of its calendar days."""
    hosted: bool
    """Whether the platform decides for it; a connected office decides itself and publishes its decisions."""


@dataclass(frozen=True, slots=True)
class OfficeForm:
    """The form of an administration's office codes."""

    country: str | None
    """ISO 3166; None if the code begins with the country."""
    pattern: str
    """Regular expression of the whole code."""
    districts: frozenset[str] = frozenset()
    """The allowed first digits of a code, if they are a closed list."""

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
    """Countries (ISO 3166) whose offices are listed."""

    def find(self, code: str | None) -> Office | None:
        """The office with a code; None if it is not listed."""
        return self.listed.get(code) if code is not None else None

    def form_of(self, code: str, countries: frozenset[str]) -> OfficeForm | None:
        """The first form that a code matches; None if it matches none."""
        return next((form for form in self.forms if form.fits(code, countries)), None)
