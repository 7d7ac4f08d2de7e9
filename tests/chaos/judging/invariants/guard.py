"""5: money is conserved, and a declaration is released only if its guard holds."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from chaos.judging.invariants.money import conserved
from chaos.judging.verdicts import Verdict
from chaos.judging.world import World

from contracts.topics import DECLARATIONS

_FACT = "trade.declarations.declaration."

Life = Sequence[tuple[str, Mapping[str, Any]]]
"""The facts of one declaration in order: name and payload."""


def release(world: World) -> Verdict:
    """Assessments add up, no payment counts twice, irrevocable acts happen once, and each release had its guard."""
    faults = []
    facts: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for each in world.first_said(DECLARATIONS.name).values():
        if each.envelope.type.startswith(_FACT):
            name = each.envelope.type.removeprefix(_FACT).rpartition(".")[0]
            facts.setdefault(each.envelope.subject, []).append((name, json.loads(each.data)))
    for id_, life in facts.items():
        names = [name for name, _ in life]
        for name, payload in life:
            if name == "assessed":
                lines = sum((Decimal(line["amount"]) for line in payload["lines"]), Decimal(0))
                if lines != Decimal(payload["total"]["amount"]):
                    faults.append(f"5: the lines of {id_} add up to {lines}, its total is {payload['total']['amount']}")
        if "released" in names:
            faults += _guard(id_, life[: names.index("released")])
        for name in ("accepted", "assessed", "released", "closed"):
            if names.count(name) > 1:
                faults.append(f"5: {id_} was {name} {names.count(name)} times")
    faults += conserved(world)
    return Verdict(5, len(world.of("declarations", "declarations")), faults)


def _guard(id_: str, before: Life) -> list[str]:
    """The guard, recomputed from the facts published before the release."""
    names = [name for name, _ in before]
    held = Counter[str]()
    due = paid = Decimal(0)
    for name, payload in before:
        match name:
            case "hold_placed":
                held[payload["hold"]] += 1
            case "hold_lifted":
                held[payload["hold"]] = 0
            case "assessed":
                due = Decimal(payload["total"]["amount"])
            case "payment_recorded" | "payment_reversed":
                paid = Decimal(payload["paid"]["amount"])
    terms = {
        "accepted": "accepted" in names,
        "assessed": "assessed" in names,
        "presented": names.count("presented") > names.count("presentation_withdrawn"),
        "free of holds": not any(held.values()),
        "paid": paid >= due,
    }
    return [f"5: {id_} was released, but it was not {term}" for term, holds in terms.items() if not holds]
