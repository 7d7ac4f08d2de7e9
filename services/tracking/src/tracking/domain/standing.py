"""What the events of a declaration say of it, folded in the timeline's order.

Only the events of declarations move the standing: a partner's claim shows in the timeline, and counts
once declarations has taken it. A lower-ranked event never moves the main state back. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tracking.domain.timeline import Step
from values.faults import NotOfItsForm
from values.moments import read_moment


class Main(StrEnum):
    """Main state, as far as events tell, in the order in which one follows another."""

    RECEIVED = "received"
    SUBMITTED = "submitted"
    PRELODGED = "prelodged"
    REJECTED = "rejected"
    """At lodging, or when the goods came and no customs value could be computed."""
    ACCEPTED = "accepted"
    ASSESSED = "assessed"
    RELEASED = "released"
    REMOVED = "removed"
    EXITED = "exited"
    CLOSED = "closed"


_RANK = {main: number for number, main in enumerate(Main)}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the events say of one declaration."""

    declaration_id: str = ""
    lrn: str = ""
    direction: str = ""
    number: str = ""
    main: Main = Main.RECEIVED
    lane: str = ""
    documents_asked: bool = False
    documents_accepted: bool = False
    inspection: str = ""
    """Empty, `ordered`, or the result."""
    holds: frozenset[str] = frozenset()
    money: str = "none"
    """none, due, paid, short, overdue or reversed."""
    pay_by: datetime | None = None
    presented: bool = False
    departures: frozenset[tuple[str, str]] = frozenset()
    """(publisher, its own id) of the claims that the goods left."""
    taken_back: frozenset[tuple[str, str]] = frozenset()
    """(publisher, its own id) of the claims that were retracted, also before they came."""
    case: str = ""
    errors: tuple[str, ...] = ()
    since: datetime | None = None

    @property
    def left_unreleased(self) -> bool:
        """Whether somebody says that the goods left, and nothing released them."""
        return _RANK[self.main] < _RANK[Main.RELEASED] and bool(self.departures - self.taken_back)


def standings(steps: Iterable[Step]) -> tuple[Standing, ...]:
    """Fold the declarations' events, in the timeline's order.

    A submission that declarations has not answered yet stands for itself, so that a shipment that
    is nowhere but at the door is not shown as one of which nothing is known.
    """
    answered: dict[str, Standing] = {}
    at_the_door: dict[str, Standing] = {}
    for step in steps:
        entry, facts = step.entry, step.entry.facts
        group, _, fact = entry.name.rpartition(".")
        if entry.name == "gateway.declaration.submitted":
            declaration = facts.get("declaration")
            lrn = _text(declaration, "lrn") if isinstance(declaration, Mapping) else ""
            direction = _text(declaration, "direction") if isinstance(declaration, Mapping) else ""
            at_the_door[lrn] = Standing(lrn=lrn, direction=direction, since=entry.stated_at)
        elif group == "declarations.declaration":
            id_ = _text(facts, "declaration_id") or entry.subject
            before = answered.get(id_, Standing(declaration_id=id_))
            answered[id_] = _evolve(before, fact, facts, entry.stated_at)
    waiting = [standing for lrn, standing in at_the_door.items() if lrn not in {each.lrn for each in answered.values()}]
    return (*answered.values(), *waiting)


_MAINS = {main.value: main for main in Main if main is not Main.RECEIVED}


def _evolve(before: Standing, fact: str, facts: Mapping[str, Any], at: datetime) -> Standing:
    named = replace(
        before,
        lrn=_text(facts, "lrn") or before.lrn,
        direction=_text(facts, "direction") or before.direction,
        number=_text(facts, "declaration_number") or _text(facts, "number") or before.number,
        since=at,
    )
    return _region(_moved(named, fact), fact, facts)


def _moved(standing: Standing, fact: str) -> Standing:
    """The main state after a fact. A correction starts again; nothing else moves it back."""
    main = _MAINS.get(fact)
    if main is None:
        return standing
    if main is Main.SUBMITTED:
        restarted = standing.main is Main.REJECTED or _RANK[standing.main] < _RANK[Main.SUBMITTED]
        return replace(standing, main=main, errors=()) if restarted else standing
    return replace(standing, main=main) if _RANK[main] > _RANK[standing.main] else standing


def _region(standing: Standing, fact: str, facts: Mapping[str, Any]) -> Standing:  # noqa: PLR0912 - a line a fact
    """Lane, control, holds, money and presence after a fact."""
    match fact:
        case "rejected":
            errors = facts.get("errors")
            found = [each for each in errors if isinstance(each, Mapping)] if isinstance(errors, list) else []
            return replace(standing, errors=tuple(_error(each) for each in found))
        case "routed":
            return replace(standing, lane=_text(facts, "lane"))
        case "documents_requested":
            return replace(standing, documents_asked=True, documents_accepted=False)
        case "documents_accepted":
            return replace(standing, documents_asked=False, documents_accepted=True)
        case "inspection_ordered":
            return replace(standing, inspection="ordered")
        case "inspection_completed":
            return replace(standing, inspection=_text(facts, "result") or "conform")
        case "hold_placed":
            return replace(standing, holds=standing.holds | {_text(facts, "hold")})
        case "hold_lifted":
            return replace(standing, holds=standing.holds - {_text(facts, "hold")})
        case "presented":
            return replace(standing, presented=True)
        case "presentation_withdrawn":
            return replace(standing, presented=False)
        case "assessed":
            return replace(standing, money=_owed(facts), pay_by=_moment(facts.get("pay_by")))
        case "payment_recorded":
            return replace(standing, money=_text(facts, "status") or "paid")
        case "payment_reversed":
            return replace(standing, money=_text(facts, "status") or "reversed")
        case "payment_overdue":
            return replace(standing, money="overdue")
        case "payment_overdue_withdrawn":
            return replace(standing, money="paid")
        case "partner_event_noted":
            return _claimed(standing, facts)
        case "case_opened":
            return replace(standing, case=_text(facts, "reason") or "case")
        case _:
            return standing


_DEPARTURES = {"import": "shipment.gate_out", "export": "exit.confirmed"}
"""Direction → the claim that the goods are where only released goods may be."""


def _claimed(standing: Standing, facts: Mapping[str, Any]) -> Standing:
    """What a partner says, where it may contradict the state: a departure, or a retraction of one."""
    publisher, retracted = _text(facts, "publisher"), _text(facts, "retracts")
    if retracted:
        return replace(standing, taken_back=standing.taken_back | {(publisher, retracted)})
    if _text(facts, "kind") == _DEPARTURES.get(standing.direction):
        return replace(standing, departures=standing.departures | {(publisher, _text(facts, "submission_id"))})
    return standing


def _owed(facts: Mapping[str, Any]) -> str:
    """Whether an assessment asks for money: no total, or one of nothing, does not."""
    total = facts.get("total")
    amount = total.get("amount") if isinstance(total, Mapping) else None
    return "due" if isinstance(amount, str) and amount.strip("0.-") else "nil"


def _error(fault: Mapping[str, Any]) -> str:
    return f"{_text(fault, 'pointer') or '/'} {_text(fault, 'code')}".strip()


def _text(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    try:
        return read_moment(value) if isinstance(value, str) else None
    except NotOfItsForm:
        return None
