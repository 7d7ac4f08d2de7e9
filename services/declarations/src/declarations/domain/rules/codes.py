"""The rules of codes: which codes must be on a list, and what gives only a warning.

An impossible code is an error. One that may exist, is old or is unusual gives a warning for the firm, and the
declaration proceeds; so does a stated value that no method uses. Sources: UN/CEFACT Recommendations 16
(UN/LOCODE), 20 and 21, the trade terms of `trade_terms`, the offices of `offices`.
"""

from collections.abc import Callable, Iterator

from declarations.domain.assessment.trade_terms import TRADE_TERMS
from declarations.domain.declaration import Declaration, Direction, Role
from declarations.domain.law import Codes
from declarations.domain.state import RuleError
from values.places import Locode

_LAND_OR_AIR = frozenset("234")
"""Modes of transport: rail, road, air."""

CodeRule = Callable[[Declaration, Codes], Iterator[RuleError]]
"""(declaration, code lists) → errors or warnings."""


def check_codes(declaration: Declaration, codes: Codes) -> Iterator[RuleError]:
    """Errors: impossible codes, and an import without an importer."""
    return (error for rule in RULES for error in rule(declaration, codes))


def warn(declaration: Declaration, codes: Codes) -> tuple[RuleError, ...]:
    """Warnings, which refuse nothing."""
    return tuple(warning for rule in WARNINGS for warning in rule(declaration, codes))


def _importer_named(declaration: Declaration, _codes: Codes) -> Iterator[RuleError]:
    if declaration.direction is Direction.IMPORT and declaration.party(Role.IMPORTER) is None:
        yield RuleError("declaration.importer.missing", "/parties")


def _office_has_a_form(declaration: Declaration, codes: Codes) -> Iterator[RuleError]:
    office = declaration.customs_office
    if office is not None and codes.offices.form_of(office, codes.countries) is None:
        yield RuleError("declaration.office.unknown", "/customs_office", office)


def _place_can_be(declaration: Declaration, codes: Codes) -> Iterator[RuleError]:
    place = _place(declaration)
    if place is not None and not codes.is_place(place):
        yield RuleError("declaration.place.unknown", "/transport/location/unlocode", place)


def _term_known(declaration: Declaration, _codes: Codes) -> Iterator[RuleError]:
    if declaration.incoterm is not None and declaration.incoterm not in TRADE_TERMS:
        yield RuleError("declaration.incoterm.unknown", "/incoterm", declaration.incoterm)


def _units_known(declaration: Declaration, codes: Codes) -> Iterator[RuleError]:
    for index, item in enumerate(declaration.goods):
        if item.quantity is not None and not codes.is_unit(item.quantity.unit):
            yield RuleError("declaration.unit.unknown", f"/goods/{index}/quantity/unit", item.quantity.unit)


def _package_kinds_known(declaration: Declaration, codes: Codes) -> Iterator[RuleError]:
    for index, item in enumerate(declaration.goods):
        if item.package_kind is not None and item.package_kind not in codes.package_kinds:
            yield RuleError("declaration.package_kind.unknown", f"/goods/{index}/package_kind", item.package_kind)


def _office_unlisted(declaration: Declaration, codes: Codes) -> Iterator[RuleError]:
    """Only for administrations whose offices are listed."""
    office = declaration.customs_office
    if office is None or codes.offices.find(office) is not None:
        return
    form = codes.offices.form_of(office, codes.countries)
    if form is not None and form.country in codes.offices.countries:
        yield RuleError("declaration.office.unlisted", "/customs_office", office)


def _place_unlisted(declaration: Declaration, codes: Codes) -> Iterator[RuleError]:
    """The place is not on its country's list, or its country has no list."""
    place = _place(declaration)
    if place is None or not codes.is_place(place):
        return
    listed = codes.places.get(place.country)
    if listed is None:
        yield RuleError("declaration.place.unchecked", "/transport/location/unlocode", place)
    elif place not in listed:
        yield RuleError("declaration.place.unlisted", "/transport/location/unlocode", place)


def _term_is_old(declaration: Declaration, _codes: Codes) -> Iterator[RuleError]:
    term = TRADE_TERMS.get(declaration.incoterm or "")
    if term is not None and term.replaced_by:
        yield RuleError("declaration.incoterm.old", "/incoterm", term.code, {"present": term.replaced_by})


def _term_and_mode(declaration: Declaration, _codes: Codes) -> Iterator[RuleError]:
    """A term for water transport with another mode; post, pipelines and own propulsion are not checked."""
    term, mode = TRADE_TERMS.get(declaration.incoterm or ""), declaration.transport.mode
    if term is not None and term.water_only and mode in _LAND_OR_AIR:
        yield RuleError("declaration.incoterm.mode", "/incoterm", term.code, {"mode": str(mode)})


def _place(declaration: Declaration) -> Locode | None:
    location = declaration.transport.location
    return location.unlocode if location is not None else None


def _value_not_used(declaration: Declaration, _codes: Codes) -> Iterator[RuleError]:
    """A value stated in addition to a price without a method, which means method 1: the price decides (`valuation`)."""
    if declaration.direction is not Direction.IMPORT:
        return
    for index, item in enumerate(declaration.goods):
        if item.valuation_method or item.price is None:
            continue
        for name in ("customs_value", "statistical_value"):
            money = getattr(item, name)
            if money is not None:
                named = {"item": str(item.number)}
                yield RuleError(
                    "declaration.value.not_used", f"/goods/{index}/{name}", format(money.amount, "f"), named
                )


RULES: tuple[CodeRule, ...] = (
    _importer_named,
    _office_has_a_form,
    _place_can_be,
    _term_known,
    _units_known,
    _package_kinds_known,
)
"""Header first, then goods."""

WARNINGS: tuple[CodeRule, ...] = (_office_unlisted, _place_unlisted, _term_is_old, _term_and_mode, _value_not_used)
