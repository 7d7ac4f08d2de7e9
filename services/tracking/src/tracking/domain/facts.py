"""Reads payloads of any version, possibly hostile: a field of an unexpected form counts as missing. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from values.faults import NotOfItsForm
from values.moments import read_moment
from values.places import Locode

Facts = Mapping[str, Any]


def text_of(facts: Facts, name: str) -> str:
    """A string; empty if missing."""
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def code_of(facts: Facts, name: str, otherwise: str) -> str:
    """A code; `otherwise` if missing."""
    return text_of(facts, name) or otherwise


def texts_of(facts: Facts, name: str) -> tuple[str, ...]:
    """The strings of a list."""
    value = facts.get(name)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def part_of(facts: Facts, name: str) -> Facts:
    """A nested object; empty if missing."""
    value = facts.get(name)
    return value if isinstance(value, Mapping) else {}


def moment_of(facts: Facts, name: str) -> datetime | None:
    """A time with a UTC offset; None if missing or without offset."""
    try:
        return read_moment(text_of(facts, name))
    except NotOfItsForm:
        return None


def money_of(facts: Facts, name: str) -> str:
    """`655000.00 CNY`; empty if missing."""
    money = part_of(facts, name)
    return f"{text_of(money, 'amount')} {text_of(money, 'currency')}".strip()


def place_of(location: Facts) -> str:
    """UN/LOCODE in normal form and facility, as far as given."""
    return " ".join(filter(None, (Locode(text_of(location, "unlocode")), text_of(location, "facility"))))


def parties_of(facts: Facts) -> dict[str, str]:
    """Role → SCHEME:VALUE."""
    parties = facts.get("parties")
    found: dict[str, str] = {}
    for party in parties if isinstance(parties, list) else []:
        if isinstance(party, Mapping):
            number = part_of(party, "identifier")
            found[text_of(party, "role")] = f"{text_of(number, 'scheme')}:{text_of(number, 'value')}"
    return found
