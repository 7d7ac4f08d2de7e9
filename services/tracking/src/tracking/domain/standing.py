"""What the events of a declaration say of it, folded in the timeline's order.

Only the events of declarations move the standing: a partner's claim shows in the timeline, and counts
once declarations has taken it. A lower-ranked event never moves the main state back. Each region
remembers when it became what it is; an event that leaves it as it is does not move that. Pure.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tracking.domain.entry import Entry
from tracking.domain.facts import code_of, moment_of, money_of, part_of, parties_of, place_of, text_of, texts_of
from tracking.domain.retraction import Statement, said, taken_back
from tracking.domain.timeline import Step


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
class Fault:
    """One rule that the declaration breaks."""

    code: str
    pointer: str
    value: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps the goods; only the agency that placed it lifts it."""

    agency: str
    """The partner's code; empty where its report is not among the events."""
    code: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """What staff of customs must look at."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What the events say of one declaration."""

    declaration_id: str = ""
    lrn: str = ""
    direction: str = ""
    number: str = ""
    office: str = ""
    """Code of the customs office."""
    place: str = ""
    """Where the goods are, or will be, presented."""
    parties: Mapping[str, str] = field(default_factory=dict)
    """Role → SCHEME:VALUE."""
    main: Main = Main.RECEIVED
    lane: str = ""
    documents: tuple[str, ...] | None = None
    """Asked for and not accepted yet; None where nothing is outstanding."""
    documents_accepted: bool = False
    inspection: str = ""
    """Empty, `ordered`, or the result."""
    holds: tuple[Hold, ...] = ()
    money: str = "none"
    """none, nil, due, paid, short, overdue or reversed."""
    due: str = ""
    paid: str = ""
    pay_by: datetime | None = None
    payment_reference: str = ""
    """What a payment names; empty of an assessment of before references."""
    presented: bool = False
    departures: tuple[Statement, ...] = ()
    """Claims that the goods left."""
    taken_back: tuple[Statement, ...] = ()
    """Claims that were retracted, also before they came."""
    cases: tuple[Case, ...] = ()
    faults: tuple[Fault, ...] = ()
    reporter: tuple[str, str] = ("", "")
    """(cause, publisher) of the partner's event noted last: what follows from it has the same cause."""
    since: Mapping[str, datetime] = field(default_factory=dict)
    """Region → when it became what it is."""

    @property
    def owes(self) -> bool:
        """Whether money is asked for and has not come in whole."""
        return self.money in ("due", "short", "overdue", "reversed")

    @property
    def value_unknown(self) -> bool:
        """Whether it was found that the duties cannot be assessed: only customs can go on."""
        return any(case.reason == "value_unknown" for case in self.cases)

    @property
    def left_unreleased(self) -> bool:
        """Whether somebody says that the goods left, and nothing released them."""
        in_force = any(not any(each.is_the_same_as(gone) for gone in self.taken_back) for each in self.departures)
        return in_force and _RANK[self.main] < _RANK[Main.RELEASED]

    @property
    def accepted(self) -> bool:
        return _RANK[self.main] >= _RANK[Main.ACCEPTED]


REGIONS: Mapping[str, Callable[[Standing], object]] = {
    "main": lambda standing: standing.main,
    "accepted": lambda standing: standing.accepted,
    "lane": lambda standing: standing.lane,
    "documents": lambda standing: standing.documents is not None,
    "documents_accepted": lambda standing: standing.documents_accepted,
    "inspection": lambda standing: standing.inspection,
    "holds": lambda standing: bool(standing.holds),
    "owes": lambda standing: standing.owes,
    "presented": lambda standing: standing.presented,
    "left": lambda standing: standing.left_unreleased,
}
"""What an obstacle stands on: it began when the last of its regions became what it is."""


def standings(steps: Iterable[Step]) -> tuple[Standing, ...]:
    """Fold the declarations' events, in the timeline's order.

    A submission that declarations has not answered yet stands for itself, so that a shipment that
    is nowhere but at the door is not shown as one of which nothing is known.
    """
    answered: dict[str, Standing] = {}
    at_the_door: dict[str, Standing] = {}
    for step in steps:
        entry = step.entry
        group, _, fact = entry.name.rpartition(".")
        if entry.name == "gateway.declaration.submitted":
            lodged = _stated(Standing(since={"main": _lodged_at(entry)}), part_of(entry.facts, "declaration"))
            at_the_door[lodged.lrn] = lodged
        elif group == "declarations.declaration":
            id_ = text_of(entry.facts, "declaration_id") or entry.subject
            answered[id_] = _evolve(answered.get(id_, Standing(declaration_id=id_)), fact, entry)
    taken_in = {each.lrn for each in answered.values()}
    return (*answered.values(), *(each for lrn, each in at_the_door.items() if lrn not in taken_in))


def _lodged_at(entry: Entry) -> datetime:
    """When the platform had it: the check has lasted since then, whoever has taken it in meanwhile."""
    return moment_of(entry.facts, "received_at") or entry.stated_at


def _stated(standing: Standing, facts: Mapping[str, Any]) -> Standing:
    """What a declaration states of itself, kept where a later event does not repeat it."""
    return replace(
        standing,
        lrn=text_of(facts, "lrn") or standing.lrn,
        direction=text_of(facts, "direction") or standing.direction,
        office=text_of(facts, "customs_office") or standing.office,
        place=place_of(part_of(part_of(facts, "transport"), "location")) or standing.place,
        parties=parties_of(facts) or standing.parties,
    )


def _evolve(before: Standing, fact: str, entry: Entry) -> Standing:
    facts = entry.facts
    number = text_of(facts, "declaration_number") or text_of(facts, "number") or before.number
    named = replace(_stated(_stated(before, facts), part_of(facts, "declaration")), number=number)
    after = _region(_moved(named, fact), fact, entry)
    at = _lodged_at(entry) if fact == "submitted" else entry.stated_at
    changed = {name: at for name, region in REGIONS.items() if region(before) != region(after)}
    return replace(after, since={"main": at, **before.since, **changed})


_MAINS = {main.value: main for main in Main if main is not Main.RECEIVED}


def _moved(standing: Standing, fact: str) -> Standing:
    """The main state after a fact. A correction starts again; nothing else moves it back."""
    main = _MAINS.get(fact)
    if main is None:
        return standing
    if main is Main.SUBMITTED:
        restarted = standing.main is Main.REJECTED or _RANK[standing.main] < _RANK[Main.SUBMITTED]
        return replace(standing, main=main, faults=()) if restarted else standing
    return replace(standing, main=main) if _RANK[main] > _RANK[standing.main] else standing


def _region(standing: Standing, fact: str, entry: Entry) -> Standing:  # noqa: PLR0912 - a line a fact
    """Lane, control, holds, money and presence after a fact."""
    facts = entry.facts
    match fact:
        case "rejected":
            return replace(standing, faults=faults_of(facts, "errors"))
        case "routed":
            return replace(standing, lane=text_of(facts, "lane"))
        case "documents_requested":
            return replace(standing, documents=texts_of(facts, "documents"), documents_accepted=False)
        case "documents_accepted":
            return replace(standing, documents=None, documents_accepted=True)
        case "inspection_ordered":
            return replace(standing, inspection="ordered")
        case "inspection_completed":
            return replace(standing, inspection=text_of(facts, "result") or "conform")
        case "hold_placed":
            return replace(standing, holds=(*standing.holds, _hold(standing, entry)))
        case "hold_lifted":
            return replace(standing, holds=_lifted(standing.holds, _hold(standing, entry)))
        case "presented" | "presentation_withdrawn":
            return replace(standing, presented=fact == "presented")
        case "assessed":
            due = money_of(facts, "total")
            reference, pay_by = text_of(facts, "payment_reference"), moment_of(facts, "pay_by")
            owed = replace(standing, money=_owed(facts), due=due, paid="")
            return replace(owed, pay_by=pay_by, payment_reference=reference)
        case "payment_recorded" | "payment_reversed" | "payment_overdue" | "payment_overdue_withdrawn":
            paid = money_of(facts, "paid") or standing.paid
            return replace(standing, money=_MONEY.get(fact) or text_of(facts, "status"), paid=paid)
        case "partner_event_noted":
            return _claimed(standing, entry)
        case "case_opened":
            return replace(standing, cases=(*standing.cases, Case(code_of(facts, "reason", "case"), entry.stated_at)))
        case _:
            return standing


_MONEY = {"payment_overdue": "overdue", "payment_overdue_withdrawn": "paid"}
"""What a fact without a status says of the money."""

_DEPARTURES = {"import": "shipment.gate_out", "export": "exit.confirmed"}
"""Direction → the claim that the goods are where only released goods may be."""


def _claimed(standing: Standing, entry: Entry) -> Standing:
    """What a partner says, where it may contradict the state: a departure, or a retraction of one.

    An event may be noted again where a correction changes whether it counts: the last one holds.
    """
    facts = entry.facts
    heard = replace(standing, reporter=(entry.cause, text_of(facts, "publisher")))
    counts = not text_of(facts, "without_effect")
    if (retracted := taken_back(facts)) is not None:
        return replace(heard, taken_back=_with(standing.taken_back, retracted, counts=counts))
    departure = said(facts) if text_of(facts, "kind") == _DEPARTURES.get(standing.direction) else None
    if departure is None:
        return heard
    return replace(heard, departures=_with(standing.departures, departure, counts=counts))


def _with(statements: tuple[Statement, ...], said_now: Statement, *, counts: bool) -> tuple[Statement, ...]:
    others = tuple(each for each in statements if each != said_now)
    return (*others, said_now) if counts else others


def _hold(standing: Standing, entry: Entry) -> Hold:
    cause, publisher = standing.reporter
    return Hold(publisher if cause == entry.cause else "", text_of(entry.facts, "hold"), entry.stated_at)


def _lifted(holds: tuple[Hold, ...], lifted: Hold) -> tuple[Hold, ...]:
    """Without the hold of this agency and code; where the agency is not known, without the first of the code."""
    same = [each for each in holds if each.code == lifted.code and lifted.agency in ("", each.agency)]
    unsaid = [each for each in holds if each.code == lifted.code and not each.agency]
    gone = (same or unsaid)[:1]
    return tuple(each for each in holds if each not in gone)


def _owed(facts: Mapping[str, Any]) -> str:
    """Whether an assessment asks for money: no total, or one of nothing, does not."""
    amount = text_of(part_of(facts, "total"), "amount")
    return "due" if amount.strip("0.-") else "nil"


def faults_of(facts: Mapping[str, Any], name: str) -> tuple[Fault, ...]:
    """The faults that stand in a list of a payload, such as its `errors`."""
    found = facts.get(name)
    return tuple(
        Fault(text_of(each, "code"), text_of(each, "pointer"), text_of(each, "value"), part_of(each, "parameters"))
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, Mapping)
    )
