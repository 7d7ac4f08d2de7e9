"""The cross rules of a declaration. All errors are reported at once, each with the pointer to its field.

A rule applies only if the fields that it compares are present, or if a mandatory field is absent:
declarations converted from foreign data have national codes and lack many fields. Codes of errors are
keys of the text catalogue; errors are in the order of `RULES`.
Sources: the header's totals against the items as in the WCO Data Model, ISO 3166 and 4217, UN
Recommendation 19, the Harmonized System 2022; those of other codes are in `codes`.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

from declarations.domain.declaration import Declaration, Role
from declarations.domain.law import Codes, Law
from declarations.domain.rules.codes import check_codes
from declarations.domain.rules.documents import documents_are_valid
from declarations.domain.rules.goods import GOODS_RULES
from declarations.domain.rules.values import amounts, amounts_have_their_form, value_errors, zero_value_errors
from declarations.domain.state import RuleError

_MODES = frozenset("123456789")

MAX_VALUE = Decimal(10**15)
"""More than any shipment is worth in any currency; sums and products below it are exact in 28 digits."""

Rule = Callable[[Declaration, datetime, Codes], Iterator[RuleError]]
"""(declaration, time of lodging, code lists) → errors."""


def check(declaration: Declaration, lodged_at: datetime, law: Law) -> tuple[RuleError, ...]:
    """All errors, in the order of the rules."""
    on = law.calendar.day(lodged_at)
    errors = (
        *(error for rule in RULES for error in rule(declaration, lodged_at, law.codes)),
        *check_codes(declaration, law.codes),
        *documents_are_valid(declaration, on, law.calendar),
        *value_errors(declaration, on, law.exchange, law.codes.currencies),
    )
    return errors or tuple(zero_value_errors(declaration, on, law.exchange))


def check_values(declaration: Declaration, accepted_at: datetime, law: Law) -> tuple[RuleError, ...]:
    """Errors that prevent computing the customs values on the day of acceptance, whose rates apply."""
    on = law.calendar.day(accepted_at)
    errors = value_errors(declaration, on, law.exchange, law.codes.currencies)
    return errors or tuple(zero_value_errors(declaration, on, law.exchange))


def _declarant_named(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    if declaration.party(Role.DECLARANT) is None:
        yield RuleError("declaration.declarant.missing", "/parties")


def _goods_there(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    if not declaration.goods:
        yield RuleError("declaration.goods.missing", "/goods")


def _gross_mass_adds_up(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    masses = [item.gross_mass_kg for item in declaration.goods]
    stated = declaration.total_gross_mass_kg
    given = [mass for mass in masses if mass is not None]
    if stated is not None and given and len(given) == len(masses) and sum(given) != stated:
        yield RuleError(
            "declaration.gross_mass.sum", "/total_gross_mass_kg", format(stated, "f"), {"sum": format(sum(given), "f")}
        )


def _packages_add_up(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    counts = [item.packages for item in declaration.goods]
    stated = declaration.total_packages
    given = [count for count in counts if count is not None]
    if stated is not None and given and len(given) == len(counts) and sum(given) != stated:
        yield RuleError("declaration.packages.sum", "/total_packages", str(stated), {"sum": str(sum(given))})


def _price_adds_up(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    total = declaration.total_price
    prices = [item.price for item in declaration.goods]
    given = [price.amount for price in prices if price is not None and total and price.currency == total.currency]
    if total is not None and given and len(given) == len(prices) and sum(given) != total.amount:
        yield RuleError(
            "declaration.price.sum", "/total_price/amount", format(total.amount, "f"), {"sum": format(sum(given), "f")}
        )


def _totals_not_negative(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    mass, packages = declaration.total_gross_mass_kg, declaration.total_packages
    if mass is not None and mass < 0:
        yield RuleError("declaration.mass.negative", "/total_gross_mass_kg", format(mass, "f"))
    if packages is not None and packages < 0:
        yield RuleError("declaration.packages.negative", "/total_packages", str(packages))


def _amounts_have_their_form(declaration: Declaration, _at: datetime, codes: Codes) -> Iterator[RuleError]:
    return amounts_have_their_form(declaration, codes.currencies)


def _values_bounded(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    """Amounts so large that they must be typing errors, and duties could not be computed exactly."""
    for pointer, money in amounts(declaration):
        if money.amount >= MAX_VALUE:
            limit = format(MAX_VALUE, "f")
            yield RuleError(
                "declaration.value.too_large", f"{pointer}/amount", format(money.amount, "f"), {"limit": limit}
            )


def _mode_known(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    mode = declaration.transport.mode
    if mode is not None and mode not in _MODES:
        yield RuleError("declaration.transport.mode", "/transport/mode", mode)


def _currency_known(declaration: Declaration, _at: datetime, codes: Codes) -> Iterator[RuleError]:
    if declaration.currency is not None and declaration.currency not in codes.currencies:
        yield RuleError("declaration.currency.unknown", "/currency", declaration.currency)


def _invoice_currency_kept(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    total = declaration.total_price
    if declaration.currency and total and total.currency != declaration.currency:
        yield RuleError(
            "declaration.currency.differs", "/total_price/currency", total.currency, {"invoice": declaration.currency}
        )


def _countries_known(declaration: Declaration, _at: datetime, codes: Codes) -> Iterator[RuleError]:
    for name in ("dispatch_country", "destination_country"):
        country = getattr(declaration, name)
        if country is not None and country not in codes.countries:
            yield RuleError("declaration.country.unknown", f"/{name}", country)


def _containers_stand_once(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    seen = set[str]()
    for index, container in enumerate(declaration.transport.containers):
        if container in seen:
            yield RuleError("declaration.container.twice", f"/transport/containers/{index}", container)
        seen.add(container)


def _arrives_after_departure(declaration: Declaration, _at: datetime, _codes: Codes) -> Iterator[RuleError]:
    departed, arrives = declaration.transport.departed_at, declaration.transport.arrives_at
    if departed is not None and arrives is not None and arrives <= departed:
        yield RuleError(
            "declaration.arrival.before_departure",
            "/transport/arrives_at",
            arrives.isoformat(),
            {"departed": departed.isoformat()},
        )


RULES: tuple[Rule, ...] = (
    _declarant_named,
    _goods_there,
    _totals_not_negative,
    _amounts_have_their_form,
    _values_bounded,
    _gross_mass_adds_up,
    _packages_add_up,
    _price_adds_up,
    _mode_known,
    _currency_known,
    _invoice_currency_kept,
    _countries_known,
    _containers_stand_once,
    _arrives_after_departure,
    *GOODS_RULES,
)
"""Header first, then goods."""
