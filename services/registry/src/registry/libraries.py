"""Adapts python-stdnum and pycountry to the checks that the domain needs."""

from collections.abc import Callable, Mapping
from types import ModuleType

import pycountry
from stdnum import lei, luhn
from stdnum.by import unp
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError
from stdnum.in_ import gstin, pan
from stdnum.ru import inn, ogrn

from registry.domain.identifiers import Check, IdentifierRules
from values.numbers import is_digits

_BASE_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_GSTIN_STATES_MISSING = frozenset({"38", "97", "99"})
"""Ladakh, other territory and centre jurisdiction: issued, but python-stdnum 2.2 does not know them."""

_COUNTRIES_IN_USE = frozenset({"EU", "XI", "XK"})
"""Not assigned by ISO 3166, but used as prefixes of numbers: European Union, Northern Ireland, Kosovo."""


def _valid(module: ModuleType) -> Check:
    check: Callable[[str], bool] = module.is_valid
    return check


def _uscc(value: str) -> bool:
    """Check digit only: the library's `validate` refuses a letter in second position, but such codes are issued."""
    return bool(uscc.calc_check_digit(value[:-1]) == value[-1])


def _gstin(value: str) -> bool:
    if value[:2] not in _GSTIN_STATES_MISSING:
        return bool(gstin.is_valid(value))
    return bool(pan.is_valid(value[2:12]) and luhn.is_valid(value, _BASE_36))


def _iec(value: str) -> bool:
    """A PAN; ten digits are an older code, which has no check digit."""
    return is_digits(value) or bool(pan.is_valid(value))


def _ogrn(value: str) -> bool:
    try:
        return bool(ogrn.validate(value))
    except ValidationError:
        return False


CHECKS: Mapping[str, Check] = {
    "BY-UNP": _valid(unp),
    "CN-USCC": _uscc,
    "IN-GSTIN": _gstin,
    "IN-PAN": _valid(pan),
    "IN-IEC": _iec,
    "RU-INN": _valid(inn),
    "RU-OGRN": _ogrn,
    "LEI": _valid(lei),
}
"""Scheme → check of a value that already has the right form."""


def is_country(code: str) -> bool:
    """Whether two letters name a country or union that issues numbers."""
    return code in _COUNTRIES_IN_USE or pycountry.countries.get(alpha_2=code) is not None


def rules() -> IdentifierRules:
    """The identifier rules with the checks of these libraries."""
    return IdentifierRules(CHECKS, is_country)
