"""The risk engine: rules with points, mandatory lanes, and a seeded random selection.

A routing can be reproduced from what it stores: the inputs, the seed, and the ids and versions of the
rules. Rules are data; a condition is a function of this module with parameters.

Rules, thresholds and the random share are illustrative. In practice some 78 % are green, 20 % yellow
and 1 % red; this is only a guide.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from declarations.domain.declaration import Declaration
from declarations.domain.office_day import OfficeDay
from declarations.domain.state import Lane, Routing, RuleHit
from values.moments import read_day
from values.numbers import read_decimal

Inputs = Mapping[str, str]
"""The inputs of rules, flat: header fields by name, fields of goods items as `item.<number>.<field>`."""

Parameters = Mapping[str, tuple[str, ...]]

_ORDER = (Lane.GREEN, Lane.BLUE, Lane.YELLOW, Lane.RED)


@dataclass(frozen=True, slots=True)
class RiskRule:
    id: str
    version: int
    condition: str
    """A key of `CONDITIONS`."""
    points: int
    valid_from: date
    valid_until: date | None = None
    lane: Lane | None = None
    """The minimum lane if the rule matches, whatever the score."""
    parameters: Parameters = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RiskRules:
    rules: tuple[RiskRule, ...]
    random: RiskRule
    """Random selection; its parameter `share` is the fraction of all declarations selected."""
    red_from: int = 70
    yellow_from: int = 40
    blue_from: int = 25


def inputs(declaration: Declaration, on: OfficeDay) -> dict[str, str]:
    """The inputs of a declaration. Absent fields are left out."""
    found: dict[str, object] = {
        "date": on.isoformat(),
        "direction": declaration.direction.value,
        "dispatch": declaration.dispatch_country,
        "destination": declaration.destination_country,
    }
    for item in declaration.goods:
        value = item.customs_value or item.price
        found |= {
            f"item.{item.number}.code": item.commodity_code,
            f"item.{item.number}.origin": item.origin,
            f"item.{item.number}.net": None if item.net_mass_kg is None else format(item.net_mass_kg, "f"),
            f"item.{item.number}.value": None if value is None else format(value.amount, "f"),
            f"item.{item.number}.currency": None if value is None else value.currency,
        }
    return {name: str(value) for name, value in found.items() if value is not None}


def seed(declaration_id: str) -> str:
    """Sixteen hex digits derived from the id, so that nobody can choose them."""
    return hashlib.sha256(declaration_id.encode()).hexdigest()[:16]


def fraction(seed_: str) -> Decimal:
    """The seed as a number in [0, 1)."""
    return Decimal(int(seed_, 16)) / Decimal(1 << 64)


def route(looked_at: Inputs, seed_: str, rules: RiskRules) -> Routing:
    """The lane for inputs and seed; deterministic for the same rules."""
    on = read_day(looked_at["date"])
    hits = [_hit(rule) for rule in rules.rules if _valid(rule, on) and _matches(rule, looked_at)]
    if fraction(seed_) < read_decimal(rules.random.parameters["share"][0]):
        hits.append(_hit(rules.random))
    score = sum(hit.points for hit in hits)
    lanes = [_by_score(score, rules), *(hit.lane for hit in hits if hit.lane is not None)]
    return Routing(max(lanes, key=_ORDER.index), score, tuple(hits), dict(looked_at), seed_)


def _hit(rule: RiskRule) -> RuleHit:
    return RuleHit(rule.id, rule.version, rule.points, rule.lane)


def _valid(rule: RiskRule, on: date) -> bool:
    return rule.valid_from <= on and (rule.valid_until is None or on <= rule.valid_until)


def _matches(rule: RiskRule, looked_at: Inputs) -> bool:
    return CONDITIONS[rule.condition](looked_at, rule.parameters)


def _by_score(score: int, rules: RiskRules) -> Lane:
    if score >= rules.red_from:
        return Lane.RED
    if score >= rules.yellow_from:
        return Lane.YELLOW
    return Lane.BLUE if score >= rules.blue_from else Lane.GREEN


def _items(looked_at: Inputs) -> Iterator[Mapping[str, str]]:
    """The fields of each goods item by their short names."""
    items: dict[str, dict[str, str]] = {}
    for name, value in looked_at.items():
        if name.startswith("item."):
            _, number, short = name.split(".", 2)
            items.setdefault(number, {})[short] = value
    yield from items.values()


def _controlled_goods(looked_at: Inputs, parameters: Parameters) -> bool:
    """Goods of `codes` (prefixes) with one of `destinations`, or with any if none is given."""
    to = parameters.get("destinations", ())
    if to and looked_at.get("destination") not in to:
        return False
    return any(item.get("code", "").startswith(parameters["codes"]) for item in _items(looked_at))


def _unit_value_outside(looked_at: Inputs, parameters: Parameters) -> bool:
    """Value per net kilogram below `low` or above `high`, for goods of `codes` priced in `currency`."""
    low, high = read_decimal(parameters["low"][0]), read_decimal(parameters["high"][0])
    for item in _items(looked_at):
        if item.get("currency") not in parameters["currency"] or not item.get("code", "").startswith(
            parameters["codes"]
        ):
            continue
        try:
            per_kg = read_decimal(item["value"]) / read_decimal(item["net"])
        except (KeyError, InvalidOperation, ZeroDivisionError):
            continue
        if not low <= per_kg <= high:
            return True
    return False


def _origin_differs(looked_at: Inputs, _parameters: Parameters) -> bool:
    """The origin of some goods is not the country they were sent from."""
    dispatch = looked_at.get("dispatch")
    return dispatch is not None and any(item.get("origin", dispatch) != dispatch for item in _items(looked_at))


def _code_missing(looked_at: Inputs, _parameters: Parameters) -> bool:
    """Some goods have no commodity code."""
    return any(not item.get("code") for item in _items(looked_at))


CONDITIONS: Mapping[str, Callable[[Inputs, Parameters], bool]] = {
    "controlled_goods": _controlled_goods,
    "unit_value_outside": _unit_value_outside,
    "origin_differs": _origin_differs,
    "code_missing": _code_missing,
}
"""`condition` of a rule → function."""
