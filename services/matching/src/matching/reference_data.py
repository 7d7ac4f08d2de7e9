"""Reads the reference data of judging from files of this package: exchange rates and shared terms."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from matching.domain.reference import Rates, Reference, SharedTerms
from values.moments import read_day
from values.numbers import read_decimal


def load_reference() -> Reference:
    """The reference data of this build.

    Raises:
        ValueError: a file is malformed; the service then does not start.
    """
    return Reference(_rates(_read("rates.toml")), _terms(_read("terms.toml")))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("matching") / "data" / name).read_text(encoding="utf-8"))


def _rates(table: Mapping[str, Any]) -> Rates:
    per_unit = {currency: read_decimal(rate) for currency, rate in table["per_unit"].items()}
    if any(rate <= 0 for rate in per_unit.values()):
        raise ValueError("rates.toml: a rate is not positive")
    return Rates(read_day(table["as_of"]), table["currency"], per_unit)


def _terms(table: Mapping[str, Any]) -> SharedTerms:
    return SharedTerms({term: tuple(words) for term, words in table["words"].items()})
