"""Numbers of enterprises: the known schemes, and whether a number is valid in its scheme.

A number is written `SCHEME:VALUE`. The schemes of the ten member states and the LEI are listed
and checked as far as their rules are public; a number of any other scheme (`GB-EORI`) is accepted
by its form, with a warning. Nothing here raises: a number ends as `Accepted` or as a `Fault`.

Checks from libraries are passed in as functions, so that this module needs only the standard
library.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from registry.domain import check_digits
from values.identifiers import Identifier as Number

__all__ = ["MEMBERS", "SCHEMES", "Accepted", "Check", "Fault", "IdentifierRules", "Number", "Scheme"]

Check = Callable[[str], bool]
"""Whether a value of the right form carries the right check digits."""

FORM = "registry.identifier.form"
CHECK_DIGIT = "registry.identifier.check_digit"
SCHEME_FORM = "registry.identifier.scheme_form"
SCHEME_COUNTRY = "registry.identifier.scheme_country"
SCHEME_UNKNOWN = "registry.identifier.scheme_unknown"
ISSUER = "registry.identifier.issuer"
COUNTRY_OF_NUMBER = "registry.identifier.country"
CHECK_DIGIT_WARNING = "registry.identifier.check_digit_warning"
FOREIGN_WARNING = "registry.identifier.foreign_warning"

MEMBERS = ("BY", "CN", "IN", "IR", "KG", "KZ", "PK", "RU", "TJ", "UZ")
"""ISO 3166 codes of the ten member states."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A number in its normal form."""

    number: Number
    warnings: tuple[str, ...] = ()
    """Codes of broken rules that do not refuse the number."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value is refused."""

    field: str
    """Path in the request, such as `identifiers[1].value`."""
    value: str
    rule: str
    """Code of the rule, which is also the code of its text."""
    expected: str = ""
    """What the rule requires, in symbols that need no translation."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """The rule of one kind of number."""

    code: str
    form: str
    """Regular expression of the whole value."""
    example: str
    check: Check | None = None
    """None: the check digit is not checked, or `library` is set."""
    library: bool = False
    """The check digit is checked by a function of `IdentifierRules.library`."""
    warns: bool = False
    """A wrong check digit gives a warning, not a fault."""


def _all(*schemes: Scheme) -> dict[str, Scheme]:
    return {scheme.code: scheme for scheme in schemes}


SCHEMES: Mapping[str, Scheme] = _all(
    Scheme("BY-UNP", r"[0-9ABCEHKMOPT]{2}[0-9]{7}", "200988541", library=True),
    # GB 32100-2015: letters I O Z S V never occur; the second character may be a letter.
    Scheme("CN-USCC", r"[0-9A-HJ-NP-RTUW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RTUW-Y]{10}", "91110000600037341L", library=True),
    Scheme("CN-CUSTOMS", r"[0-9]{10}", "3702910001"),
    Scheme("IN-GSTIN", r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]", "27AAPFU0939F1ZV", library=True),
    Scheme("IN-PAN", r"[A-Z]{5}[0-9]{4}[A-Z]", "AAPFU0939F", library=True),
    # Since 2017 an importer-exporter code is the PAN; older ones are ten digits.
    Scheme("IN-IEC", r"[A-Z]{5}[0-9]{4}[A-Z]|[0-9]{10}", "AAPFU0939F", library=True),
    Scheme("IR-NID", r"[0-9]{11}", "14002652653", check=check_digits.iranian_legal_id, warns=True),
    Scheme("KG-INN", r"[0-9]{14}", "02207199910017"),
    Scheme("KZ-BIN", r"[0-9]{12}", "190540000014", check=check_digits.kazakh_bin),
    Scheme("KZ-IIN", r"[0-9]{12}", "850101300015", check=check_digits.kazakh_bin),
    Scheme("PK-NTN", r"[0-9]{8}", "1234567-8"),
    Scheme("RU-INN", r"[0-9]{10}|[0-9]{12}", "7707083893", library=True),
    Scheme("RU-OGRN", r"[0-9]{13}|[0-9]{15}", "1027700132195", library=True),
    Scheme("TJ-INN", r"[0-9]{9}", "010012345"),
    Scheme("UZ-STIR", r"[0-9]{9}", "200837914"),
    Scheme("LEI", r"[0-9A-Z]{18}[0-9]{2}", "213800KUD8LAJWSQ9D15", library=True),
)
"""The known schemes. A member state's scheme that is not listed is refused: it must be a typing error."""

_SCHEME_FORM = re.compile(r"(?P<country>[A-Z]{2})-(?P<kind>[A-Z0-9]{2,20})")
_EORI = "EORI"
"""Economic operators' registration: begins with the country that issued it (Regulation (EU) 2015/2446, annex 12-01)."""
_COUNTRIES_OF_SCHEME: Mapping[str, frozenset[str]] = {"XI": frozenset({"GB", "XI"})}
"""Scheme prefix → countries of its firms, if they are not the prefix alone (Northern Ireland)."""
_FOREIGN_VALUE = re.compile(r"[A-Z0-9](?:[A-Z0-9./&-]{0,33}[A-Z0-9])?")


@dataclass(frozen=True)
class IdentifierRules:
    """The rules together with the checks from libraries."""

    library: Mapping[str, Check]
    """Scheme → check, for every scheme marked `library`."""
    is_country: Callable[[str], bool]
    """Whether two letters are an ISO 3166 country."""
    _forms: dict[str, re.Pattern[str]] = field(init=False)

    def __post_init__(self) -> None:
        missing = sorted(code for code, scheme in SCHEMES.items() if scheme.library and code not in self.library)
        if missing:
            raise ValueError(f"no check was passed in for {', '.join(missing)}")
        object.__setattr__(self, "_forms", {code: re.compile(scheme.form) for code, scheme in SCHEMES.items()})

    def judge(self, number: Number, path: str) -> Accepted | Fault:
        """Validate one number; `path` is its path in the request."""
        scheme = SCHEMES.get(number.scheme)
        if scheme is None:
            return self._foreign(number, path)
        if not self._forms[scheme.code].fullmatch(number.value):
            return Fault(f"{path}.value", number.value, FORM, f"{scheme.form} ({scheme.example})")
        check = self.library[scheme.code] if scheme.library else scheme.check
        if check is None or check(number.value):
            return Accepted(number)
        if scheme.warns:
            return Accepted(number, (CHECK_DIGIT_WARNING,))
        return Fault(f"{path}.value", number.value, CHECK_DIGIT, scheme.example)

    def _foreign(self, number: Number, path: str) -> Accepted | Fault:
        match = _SCHEME_FORM.fullmatch(number.scheme)
        if match is None:
            return Fault(f"{path}.scheme", number.scheme, SCHEME_FORM, "GB-EORI")
        country = match["country"]
        if country in MEMBERS:
            known = ", ".join(code for code in SCHEMES if code.startswith(country))
            return Fault(f"{path}.scheme", number.scheme, SCHEME_UNKNOWN, known)
        if not self.is_country(country):
            return Fault(f"{path}.scheme", number.scheme, SCHEME_COUNTRY, "ISO 3166")
        if not _FOREIGN_VALUE.fullmatch(number.value):
            return Fault(f"{path}.value", number.value, FORM, _FOREIGN_VALUE.pattern)
        if match["kind"] == _EORI and not number.value.startswith(country):
            return Fault(f"{path}.value", number.value, ISSUER, f"{country}…")
        return Accepted(number, (FOREIGN_WARNING,))


def country_fault(primary: Number, country: str) -> Fault | None:
    """The fault if the primary number belongs to a country other than the firm's. An LEI belongs to none.

    Secondary numbers may belong to other countries, where a firm is registered for tax or has a branch.
    """
    issuer, _, kind = primary.scheme.partition("-")
    if not kind or country in _COUNTRIES_OF_SCHEME.get(issuer, frozenset({issuer})):
        return None
    return Fault("country", country, COUNTRY_OF_NUMBER, f"{issuer} ({primary.scheme})")
