"""The code lists of the world's trade that payloads refer to: countries, currencies,
places, units, kinds of package, languages, economic activities.

A list refuses what is no code; it never refuses a code that exists, so where a list cannot be whole
(`places`) what is missing from it is a matter for a warning. Each file beside this one names its
source and edition in its head.
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
"""Of ISIC Rev.4; its sections are A to U."""
_ACTIVITY = re.compile(r"[A-U]|[0-9]{2,4}")


@cache
def countries() -> frozenset[str]:
    """ISO 3166-1 alpha-2, with the codes left to users that customs or the UN do use."""
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
    """UN/CEFACT Recommendation 20, with units of tariffs that it does not have."""
    return frozenset(_words("units"))


@cache
def package_kinds() -> frozenset[str]:
    """UN/CEFACT Recommendation 21."""
    return frozenset(_words("package_kinds"))


@cache
def places() -> Mapping[str, frozenset[str]]:
    """Country → its places by UN/LOCODE, five characters.

    Of a country that is absent nothing is known: its places can be neither confirmed nor doubted.
    """
    return {country: frozenset(country + place for place in found) for country, found in _listed("places")}


def is_place(place: Locode) -> bool:
    """Whether a code can be a UN/LOCODE: its form, and a country that exists."""
    return place.fault() is None and place.country in countries()


def is_unit(code: str) -> bool:
    """Whether a text is a unit of measure; a tariff's qualifier may follow behind "#", such as KGM#G."""
    unit, sign, qualifier = code.partition("#")
    return unit in units() and (not sign or _QUALIFIER.fullmatch(qualifier) is not None)


def is_activity(code: str) -> bool:
    """Whether a text is an economic activity of ISIC Rev.4: a section, or a division with what may stand below it."""
    return _ACTIVITY.fullmatch(code) is not None and (code.isalpha() or int(code[:2]) in _DIVISIONS)


def _listed(name: str) -> Iterator[tuple[str, list[str]]]:
    """The words behind each `HEAD:` of a file."""
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
