"""The rules of goods items; see `header` for the conventions of rules."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from declarations.domain.declaration import Declaration
from declarations.domain.law import Codes
from declarations.domain.state import RuleError

_CODE = re.compile(r"[0-9]{6}(?:[0-9]{2}){0,3}")
"""Six digits of the Harmonized System, followed by up to six national digits."""
_NO_SUCH_CHAPTER = frozenset({"00", "77"})
_METHODS = frozenset("123456")


def _commodity_code_has_its_form(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    """A code may be absent if the goods are described (simplified procedure); then an officer classifies them."""
    for index, item in enumerate(declaration.goods):
        code, pointer = item.commodity_code, f"/goods/{index}/commodity_code"
        if not code:
            if not item.description:
                yield RuleError("declaration.commodity_code.missing", pointer)
        elif not _CODE.fullmatch(code):
            yield RuleError("declaration.commodity_code.form", pointer, code)
        elif code[:2] in _NO_SUCH_CHAPTER:
            yield RuleError("declaration.commodity_code.chapter", pointer, code, {"chapter": code[:2]})


def _masses_not_negative(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    for index, item in enumerate(declaration.goods):
        for name in ("gross_mass_kg", "net_mass_kg"):
            mass = getattr(item, name)
            if mass is not None and mass < 0:
                yield RuleError("declaration.mass.negative", f"/goods/{index}/{name}", format(mass, "f"))
        if item.quantity is not None and item.quantity.value < 0:
            value = format(item.quantity.value, "f")
            yield RuleError("declaration.quantity.negative", f"/goods/{index}/quantity/value", value)
        if item.packages is not None and item.packages < 0:
            yield RuleError("declaration.packages.negative", f"/goods/{index}/packages", str(item.packages))


def _net_within_gross(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    for index, item in enumerate(declaration.goods):
        net, gross = item.net_mass_kg, item.gross_mass_kg
        if net is not None and gross is not None and net > gross:
            yield RuleError(
                "declaration.net_mass.above_gross",
                f"/goods/{index}/net_mass_kg",
                format(net, "f"),
                {"gross": format(gross, "f")},
            )


def _numbers_stand_once(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    seen = set[int]()
    for index, item in enumerate(declaration.goods):
        if item.number in seen:
            yield RuleError("declaration.item.number_twice", f"/goods/{index}/number", str(item.number))
        seen.add(item.number)


def _origins_known(declaration: Declaration, _at: datetime, codes: Codes) -> Iterator[RuleError]:
    for index, item in enumerate(declaration.goods):
        if item.origin is not None and item.origin not in codes.countries:
            yield RuleError("declaration.country.unknown", f"/goods/{index}/origin", item.origin)


def _valuation_method_known(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    for index, item in enumerate(declaration.goods):
        if item.valuation_method is not None and item.valuation_method not in _METHODS:
            yield RuleError(
                "declaration.valuation_method.unknown", f"/goods/{index}/valuation_method", item.valuation_method
            )


GOODS_RULES: tuple[Callable[[Declaration, datetime, Codes], Iterator[RuleError]], ...] = (
    _commodity_code_has_its_form,
    _masses_not_negative,
    _net_within_gross,
    _numbers_stand_once,
    _origins_known,
    _valuation_method_known,
)
