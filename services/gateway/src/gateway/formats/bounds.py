"""What everything behind the door relies on: texts and values that fit into databases, calendars and screens.

No contract says it. A value beyond these bounds would pass here and fail where nobody can tell its sender. References
and numbers of enterprises are judged by their own types; what is odd about one, and harmless, is a warning.
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
"""A day's shift to another time zone and a deadline's months stay inside of every calendar."""
MAX_TEXT = 2_000
"""Characters. References become keys, which stand in an event several times."""

_PROSE = frozenset({"description", "findings", "title"})
"""Fields that may have lines."""


def faults(value: Any, pointer: str = "") -> Iterator[Fault]:
    """Everything out of bounds in a contract's value; its depth is that of the contract.

    The money of a declaration is judged by its own rules, which tell all that is wrong with it at once.
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
    """What is odd in a contract's value that may be used all the same."""
    for each, place in leaves(value, pointer):
        if isinstance(each, Reference) and (why := each.warning()):
            yield as_fault(why, place, each)


def leaves(value: Any, pointer: str) -> Iterator[tuple[Any, str]]:
    """Every value with its JSON pointer; an enterprise's number is one value, and so is money."""
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
    """Not below zero, in a currency of ISO 4217, with no more decimals than it has."""
    amount = format(money.amount, "f")
    if money.amount < 0:
        yield Fault("field.money.negative", f"{pointer}/amount", value=amount)
    decimals = currencies().get(money.currency)
    if decimals is None:
        yield Fault("field.money.currency", f"{pointer}/currency", value=money.currency)
    elif len(amount.partition(".")[2].rstrip("0")) > decimals:
        yield Fault("field.money.decimals", f"{pointer}/amount", {"limit": decimals}, amount)


def as_fault(why: TextFault, pointer: str, value: str) -> Fault:
    """A text's fault at its place; `found` is shown for characters that nobody sees."""
    return Fault(f"field.{why.code}", pointer, {"found": why.found}, value)
