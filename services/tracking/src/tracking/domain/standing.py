"""The standing of a declaration: its state as far as its events tell it.

The declarations service decides the life cycle: every event carries the main status and a summary of the regions after
it. The tables here map these values to what the desk shows. A standing also has the details that events name: lane,
documents, agencies, amounts, cases. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tracking.domain.facts import Facts, part_of, text_of, texts_of
from tracking.domain.retraction import Statement


class Main(StrEnum):
    """Main state as shown, in the order of the life cycle."""

    RECEIVED = "received"
    SUBMITTED = "submitted"
    PRELODGED = "prelodged"
    REJECTED = "rejected"
    """At lodging, or at presentation if no customs value could be computed."""
    ACCEPTED = "accepted"
    ASSESSED = "assessed"
    RELEASED = "released"
    REMOVED = "removed"
    EXITED = "exited"
    CLOSED = "closed"


RANK = {main: number for number, main in enumerate(Main)}

MAINS: Mapping[str, Main] = {
    **{main.value: main for main in Main if main is not Main.RECEIVED},
    "under_control": Main.ACCEPTED,  # the obstacles show what control waits for
}
"""Published main status → state shown."""

MATTERS = ("documents_requested", "document_check", "discrepancy", "inspection_ordered")
"""What control may wait for, as published; each is a separate obstacle."""

OWED: Mapping[str, bool] = {"nil": False, "due": True, "short": True, "paid": False, "reversed": True, "overdue": True}
"""Status of the money (as published, or `overdue`) → whether a payment is outstanding."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that the declaration breaks."""

    code: str
    pointer: str
    value: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on the goods; only the agency that placed it can lift it."""

    agency: str
    """The partner's code; empty if its report is not among the events."""
    code: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A case that customs staff must decide."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Former:
    """State needed to read events without a summary."""

    documents_accepted: bool = False
    inspection: str = ""
    """Empty, `ordered`, or the result."""
    departures: tuple[Statement, ...] = ()
    """Statements that the goods left."""
    taken_back: tuple[Statement, ...] = ()
    """Retracted statements, including those that have not arrived yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one declaration according to its events."""

    declaration_id: str = ""
    lrn: str = ""
    direction: str = ""
    number: str = ""
    office: str = ""
    """Code of the customs office."""
    place: str = ""
    """Where the goods are or will be presented."""
    parties: Mapping[str, str] = field(default_factory=dict)
    """Role → SCHEME:VALUE."""
    main: Main = Main.RECEIVED
    lane: str = ""
    control: frozenset[str] = frozenset()
    """The `MATTERS` that control waits for."""
    documents: tuple[str, ...] = ()
    """Types of the latest request for documents."""
    holds: tuple[Hold, ...] = ()
    money: str = "none"
    """`none`, or a key of `OWED`."""
    due: str = ""
    paid: str = ""
    pay_by: datetime | None = None
    payment_reference: str = ""
    """The reference to pay under; empty for assessments older than payment references."""
    presented: bool = False
    gone: bool = False
    """Whether a partner reported that the goods left before release."""
    cases: tuple[Case, ...] = ()
    faults: tuple[Fault, ...] = ()
    reporter: tuple[str, str] = ("", "")
    """(cause, publisher) of the partner's event noted last; events that follow from it have the same cause."""
    former: Former = Former()
    since: Mapping[str, datetime] = field(default_factory=dict)
    """Region → when it last changed."""

    @property
    def owes(self) -> bool:
        """Whether a payment is outstanding."""
        return OWED.get(self.money, False)

    @property
    def value_unknown(self) -> bool:
        """Whether the duties could not be assessed, so that customs must act."""
        return any(case.reason == "value_unknown" for case in self.cases)

    @property
    def left_unreleased(self) -> bool:
        """Whether a partner reported that the goods left without release."""
        return self.gone and RANK[self.main] < RANK[Main.RELEASED]

    @property
    def accepted(self) -> bool:
        return RANK[self.main] >= RANK[Main.ACCEPTED]

    def waits_for(self, matter: str) -> bool:
        """Whether control waits for one of `MATTERS`."""
        return matter in self.control


def _waits_for(matter: str) -> Callable[[Standing], object]:
    return lambda standing: standing.waits_for(matter)


REGIONS: Mapping[str, Callable[[Standing], object]] = {
    "main": lambda standing: standing.main,
    "accepted": lambda standing: standing.accepted,
    "lane": lambda standing: standing.lane,
    **{matter: _waits_for(matter) for matter in MATTERS},
    "holds": lambda standing: bool(standing.holds),
    "owes": lambda standing: standing.owes,
    "presented": lambda standing: standing.presented,
    "left": lambda standing: standing.left_unreleased,
}
"""Region → value of the standing. An obstacle began when the last of its regions changed."""


def _money(standing: Standing, regions: Facts) -> Standing:
    """Overdue lasts until an event of a payment itself states another status."""
    told = text_of(regions, "money")
    if standing.money == "none" and told == "nil":
        return standing  # nothing is assessed yet
    overdue = regions.get("overdue") is True and OWED.get(told, False) and standing.money != told
    return replace(standing, money="overdue" if overdue else told)


TOLD: Mapping[str, Callable[[Standing, Facts], Standing]] = {
    "control": lambda standing, regions: replace(standing, control=frozenset(texts_of(regions, "control"))),
    # Events name the holds one by one; a summary without a hold clears them all.
    "held": lambda standing, regions: standing if regions.get("held") is not False else replace(standing, holds=()),
    "money": _money,
    "overdue": _money,
    "presented": lambda standing, regions: replace(standing, presented=regions.get("presented") is True),
    "left_unreleased": lambda standing, regions: replace(standing, gone=regions.get("left_unreleased") is True),
}
"""Field of the published summary → the standing after it."""


def as_told(standing: Standing, facts: Facts) -> Standing:
    """The standing with an event's main status and summary; unchanged if the event has neither."""
    main, regions = MAINS.get(text_of(facts, "main_status")), part_of(facts, "regions")
    told = standing if main is None else replace(standing, main=main)
    for name, row in TOLD.items():
        if name in regions:
            told = row(told, regions)
    return told


def faults_of(facts: Facts, name: str) -> tuple[Fault, ...]:
    """The faults in a list of a payload, such as its `errors`."""
    found = facts.get(name)
    return tuple(
        Fault(text_of(each, "code"), text_of(each, "pointer"), text_of(each, "value"), part_of(each, "parameters"))
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, Mapping)
    )
