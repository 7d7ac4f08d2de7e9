"""The international code lists that payloads refer to: countries, currencies,
places, units, kinds of package, languages, economic activities.

A complete list refuses unknown codes. No list may refuse a code that exists, so an incomplete list (`places`) only
causes warnings. Each data file in this folder names its source and edition in its header.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import pycountry

from values.places import Locode

_QUALIFIER = re.compile(r"[A-Z]")
_DIVISIONS = frozenset(
    [
        *range(1, 4), *range(5, 10), *range(10, 34), *range(35, 40), *range(41, 44), *range(45, 48), *range(49, 54),
        *range(55, 57), *range(58, 64), *range(64, 67), 68, *range(69, 76), *range(77, 83), *range(84, 89),
        *range(90, 100),
    ]
)  # fmt: skip
"""The divisions of ISIC Rev.4; its sections are A to U."""
_ACTIVITY = re.compile(r"[A-U]|[0-9]{2,4}")


@cache
def countries() -> frozenset[str]:
    """ISO 3166-1 alpha-2, with the user-assigned codes that customs or the UN use."""
    return frozenset(country.alpha_2 for country in pycountry.countries).union(_words("countries_in_use"))


@cache
def currencies() -> Mapping[str, int]:
    """ISO 4217: every currency that has a minor unit, with the number of its decimals."""
    return {code: int(decimals) for decimals, codes in _listed("currencies") for code in codes}


@cache
def languages() -> frozenset[str]:
    """ISO 639-1, two letters in lower case."""
    return frozenset(each.alpha_2 for each in pycountry.languages if hasattr(each, "alpha_2"))


@cache
def units() -> frozenset[str]:
    """UN/CEFACT Recommendation 20, with additional units of tariffs."""
    return frozenset(_words("units"))


@cache
def package_kinds() -> frozenset[str]:
    """UN/CEFACT Recommendation 21."""
    return frozenset(_words("package_kinds"))


@cache
def places() -> Mapping[str, frozenset[str]]:
    """Country → its places by UN/LOCODE, five characters.

    For a country that is missing here nothing is known: its places cause no warnings.
    """
    return {country: frozenset(country + place for place in found) for country, found in _listed("places")}


def is_place(place: Locode) -> bool:
    """Whether a code can be a UN/LOCODE: it has the form, and its country exists."""
    return place.fault() is None and place.country in countries()


def is_unit(code: str) -> bool:
    """Whether a text is a unit of measure; a tariff's qualifier may follow after "#", as in KGM#G."""
    unit, sign, qualifier = code.partition("#")
    return unit in units() and (not sign or _QUALIFIER.fullmatch(qualifier) is not None)


def is_activity(code: str) -> bool:
    """Whether a text is an economic activity of ISIC Rev.4: a section, or a division with its optional lower levels."""
    return _ACTIVITY.fullmatch(code) is not None and (code.isalpha() or int(code[:2]) in _DIVISIONS)


def _listed(name: str) -> Iterator[tuple[str, list[str]]]:
    """The words after each `HEAD:` of a file."""
    found: dict[str, list[str]] = {}
    head = ""
    for word in _words(name):
        if word.endswith(":"):
            head = word[:-1]
            found[head] = []
        else:
            found[head].append(word)
    yield from found.items()


def _words(name: str) -> Iterator[str]:
    for line in files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield from line.split()
