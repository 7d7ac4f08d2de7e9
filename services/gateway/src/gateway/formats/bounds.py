"""Bounds on strings and values that the services behind the gateway rely on: they fit databases, calendars and screens.

The contracts do not state them. A value beyond them would be accepted here and fail later, where its sender cannot be
told. References and enterprise numbers are checked by their own types; a harmless irregularity is a warning.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from contracts.codes import currencies
from contracts.gateway.v1 import Declaration
from contracts.values import Identifier, Money
from gateway.domain.faults import Fault
from values.faults import TextFault
from values.references import Reference
from values.text import line_fault, prose_fault

MAX_INTEGER = 2**63 - 1
YEARS = range(1900, 2201)
"""Years in which shifting a day to another time zone and adding a deadline's months stays within every calendar."""
MAX_TEXT = 2_000
"""Characters. References become keys, which an event contains several times."""

_PROSE = frozenset({"description", "findings", "title"})
"""Fields that may have several lines."""


def faults(value: Any, pointer: str = "") -> Iterator[Fault]:
    """A fault for everything out of bounds in a contract's value.

    The money of a declaration is excluded: declarations checks it and reports all faults at once.
    """
    for each, place in leaves(value, pointer):
        match each:
            case str():
                yield from _of_text(each, place)
            case Identifier():
                if fault := each.number.fault():
                    name, why = fault
                    yield as_fault(why, f"{place}/{name}", getattr(each, name))
            case Money() if not isinstance(value, Declaration):
                yield from _of_money(each, place)
            case int() if abs(each) > MAX_INTEGER:
                yield Fault("field.out_of_range", place, {"limit": MAX_INTEGER})
            case datetime() if each.year not in YEARS:
                yield Fault("field.out_of_range", place, {"limit": f"{YEARS[0]}-{YEARS[-1]}"})


def warnings(value: Any, pointer: str = "") -> Iterator[Fault]:
    """Warnings about a contract's value that is accepted."""
    for each, place in leaves(value, pointer):
        if isinstance(each, Reference) and (why := each.warning()):
            yield as_fault(why, place, each)


def leaves(value: Any, pointer: str) -> Iterator[tuple[Any, str]]:
    """Every value with its JSON pointer; an enterprise's number is one value, as is money."""
    match value:
        case BaseModel():
            if isinstance(value, Identifier | Money):
                yield value, pointer
            for name in type(value).model_fields:
                yield from leaves(getattr(value, name), f"{pointer}/{name}")
        case tuple():
            for index, each in enumerate(value):
                yield from leaves(each, f"{pointer}/{index}")
        case _:
            yield value, pointer


def _of_text(value: str, pointer: str) -> Iterator[Fault]:
    if len(value) > MAX_TEXT:
        yield Fault("field.too_long", pointer, {"limit": MAX_TEXT})
    prose = pointer.rpartition("/")[2] in _PROSE
    why = value.fault() if isinstance(value, Reference) else (prose_fault if prose else line_fault)(value)
    if why is not None:
        yield as_fault(why, pointer, value)


def _of_money(money: Money, pointer: str) -> Iterator[Fault]:
    """Faults of an amount: negative, not a currency of ISO 4217, or more decimals than the currency has."""
    amount = format(money.amount, "f")
    if money.amount < 0:
        yield Fault("field.money.negative", f"{pointer}/amount", value=amount)
    decimals = currencies().get(money.currency)
    if decimals is None:
        yield Fault("field.money.currency", f"{pointer}/currency", value=money.currency)
    elif len(amount.partition(".")[2].rstrip("0")) > decimals:
        yield Fault("field.money.decimals", f"{pointer}/amount", {"limit": decimals}, amount)


def as_fault(why: TextFault, pointer: str, value: str) -> Fault:
    """A string's fault at its pointer; invisible characters are shown in `found`."""
    return Fault(f"field.{why.code}", pointer, {"found": why.found}, value)
