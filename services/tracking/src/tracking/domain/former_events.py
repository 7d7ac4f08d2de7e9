"""Reads events that have neither main status nor summary of the regions, by the meaning of their fact.

Events must stay readable for ever, so this module stays. New facts need no line here: every published event has both.
An event never moves the main state back to an earlier rank. Pure.
"""

from collections.abc import Mapping
from dataclasses import replace

from tracking.domain.declaration import RANK, Former, Main, Standing
from tracking.domain.facts import Facts, part_of, text_of
from tracking.domain.retraction import Statement, retracted_statement, statement_of
from tracking.domain.standing import MAINS


def read(standing: Standing, fact: str, facts: Facts) -> Standing:
    """The standing after a fact, derived from the fact alone."""
    moved = _moved(standing, fact)
    former = _remembered(moved.former, moved.direction, fact, facts)
    return replace(
        moved,
        former=former,
        control=_control(moved, former, fact),
        money=_money(moved.money, fact, facts),
        presented=_PRESENTED.get(fact, moved.presented),
        gone=_gone(former),
    )


def _moved(standing: Standing, fact: str) -> Standing:
    """The main state after a fact. Only a correction moves it back to the start."""
    main = MAINS.get(fact)
    if main is None:
        return standing
    if main is Main.SUBMITTED:
        restarted = standing.main is Main.REJECTED or RANK[standing.main] < RANK[Main.SUBMITTED]
        return replace(standing, main=main, faults=()) if restarted else standing
    return replace(standing, main=main) if RANK[main] > RANK[standing.main] else standing


def _remembered(former: Former, direction: str, fact: str, facts: Facts) -> Former:
    match fact:
        case "documents_requested" | "documents_accepted":
            return replace(former, documents_accepted=fact == "documents_accepted")
        case "inspection_ordered":
            return replace(former, inspection="ordered")
        case "inspection_completed":
            return replace(former, inspection=text_of(facts, "result") or "conform")
        case "partner_event_noted":
            return _claimed(former, direction, facts)
        case _:
            return former


def _control(standing: Standing, former: Former, fact: str) -> frozenset[str]:
    """What control waits for: documents until accepted, the lane's checks until done."""
    asked = "documents_requested" in standing.control
    asked = {"documents_requested": True, "documents_accepted": False}.get(fact, asked)
    waiting = {
        "documents_requested": asked,
        "document_check": standing.lane == "yellow" and not asked and not former.documents_accepted,
        "discrepancy": former.inspection == "discrepancy",
        "inspection_ordered": former.inspection == "ordered" or (standing.lane == "red" and not former.inspection),
    }
    return frozenset(matter for matter, is_waited_for in waiting.items() if is_waited_for)


_PRESENTED: Mapping[str, bool] = {"presented": True, "presentation_withdrawn": False}

_OVERDUE = {"payment_overdue": "overdue", "payment_overdue_withdrawn": "paid"}
"""Fact without a payment status → status of the money."""


def _money(before: str, fact: str, facts: Facts) -> str:
    match fact:
        case "assessed":  # a missing or zero total asks for no money
            return "due" if text_of(part_of(facts, "total"), "amount").strip("0.-") else "nil"
        case "payment_recorded" | "payment_reversed":
            return text_of(facts, "status")
        case _:
            return _OVERDUE.get(fact, before)


_DEPARTURES = {"import": "shipment.gate_out", "export": "exit.confirmed"}
"""Direction → the partner event that puts the goods where only released goods may be."""


def _claimed(former: Former, direction: str, facts: Facts) -> Former:
    """Record a partner's event that may contradict the state: a departure, or the retraction of one.

    An event is noted again if a correction changes whether it has effect: the last note applies.
    """
    counts = not text_of(facts, "without_effect")
    if (retracted := retracted_statement(facts)) is not None:
        return replace(former, taken_back=_with(former.taken_back, retracted, counts=counts))
    departure = statement_of(facts) if text_of(facts, "kind") == _DEPARTURES.get(direction) else None
    return (
        former if departure is None else replace(former, departures=_with(former.departures, departure, counts=counts))
    )


def _with(statements: tuple[Statement, ...], said_now: Statement, *, counts: bool) -> tuple[Statement, ...]:
    others = tuple(each for each in statements if each != said_now)
    return (*others, said_now) if counts else others


def _gone(former: Former) -> bool:
    return any(not any(each.is_the_same_as(back) for back in former.taken_back) for each in former.departures)
