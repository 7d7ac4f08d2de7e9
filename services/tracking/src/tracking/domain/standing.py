"""What the events of a declaration say of it, as the desk shows it.

The life of a declaration is told by its owner: every event carries the main status and a summary of the regions
after it, and the tables here say how each of their values is shown. Beside them stand the details that the events
themselves name: lane, documents, agencies, amounts, cases. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tracking.domain.facts import Facts, part_of, text_of, texts_of
from tracking.domain.retraction import Statement


class Main(StrEnum):
    """Main state as it is shown, in the order in which one follows another."""

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


RANK = {main: number for number, main in enumerate(Main)}

MAINS: Mapping[str, Main] = {
    **{main.value: main for main in Main if main is not Main.RECEIVED},
    "under_control": Main.ACCEPTED,  # what exactly is under control, the obstacles say
}
"""Published main status → how it is shown."""

MATTERS = ("documents_requested", "document_check", "discrepancy", "inspection_ordered")
"""What control may wait for, as it is published; each is an obstacle of its own."""

OWED: Mapping[str, bool] = {"nil": False, "due": True, "short": True, "paid": False, "reversed": True, "overdue": True}
"""Status of the money as it is published, and `overdue` → whether money is asked for and has not come in whole."""


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
class Former:
    """What must be remembered to read events that carry no summary."""

    documents_accepted: bool = False
    inspection: str = ""
    """Empty, `ordered`, or the result."""
    departures: tuple[Statement, ...] = ()
    """Claims that the goods left."""
    taken_back: tuple[Statement, ...] = ()
    """Claims that were retracted, also before they came."""


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
    control: frozenset[str] = frozenset()
    """Those of `MATTERS` that control waits for."""
    documents: tuple[str, ...] = ()
    """Types asked for last."""
    holds: tuple[Hold, ...] = ()
    money: str = "none"
    """none, or one of `OWED`."""
    due: str = ""
    paid: str = ""
    pay_by: datetime | None = None
    payment_reference: str = ""
    """What a payment names; empty of an assessment of before references."""
    presented: bool = False
    gone: bool = False
    """Whether somebody says that the goods left before they were released."""
    cases: tuple[Case, ...] = ()
    faults: tuple[Fault, ...] = ()
    reporter: tuple[str, str] = ("", "")
    """(cause, publisher) of the partner's event noted last: what follows from it has the same cause."""
    former: Former = Former()
    since: Mapping[str, datetime] = field(default_factory=dict)
    """Region → when it became what it is."""

    @property
    def owes(self) -> bool:
        """Whether money is asked for and has not come in whole."""
        return OWED.get(self.money, False)

    @property
    def value_unknown(self) -> bool:
        """Whether it was found that the duties cannot be assessed: only customs can go on."""
        return any(case.reason == "value_unknown" for case in self.cases)

    @property
    def left_unreleased(self) -> bool:
        """Whether somebody says that the goods left, and nothing released them."""
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
"""What an obstacle stands on: it began when the last of its regions became what it is."""


def _money(standing: Standing, regions: Facts) -> Standing:
    """Overdue until a payment moves: what has come in since then is the newer word."""
    told = text_of(regions, "money")
    if standing.money == "none" and told == "nil":
        return standing  # nothing is assessed yet
    overdue = regions.get("overdue") is True and OWED.get(told, False) and standing.money != told
    return replace(standing, money="overdue" if overdue else told)


TOLD: Mapping[str, Callable[[Standing, Facts], Standing]] = {
    "control": lambda standing, regions: replace(standing, control=frozenset(texts_of(regions, "control"))),
    # The agencies that hold are named by their own events; none of them is left where nothing is held.
    "held": lambda standing, regions: standing if regions.get("held") is not False else replace(standing, holds=()),
    "money": _money,
    "overdue": _money,
    "presented": lambda standing, regions: replace(standing, presented=regions.get("presented") is True),
    "left_unreleased": lambda standing, regions: replace(standing, gone=regions.get("left_unreleased") is True),
}
"""Field of the published summary → what it makes of the standing."""


def as_told(standing: Standing, facts: Facts) -> Standing:
    """The standing as an event's own main status and summary have it; as it is, where the event carries none."""
    main, regions = MAINS.get(text_of(facts, "main_status")), part_of(facts, "regions")
    told = standing if main is None else replace(standing, main=main)
    for name, row in TOLD.items():
        if name in regions:
            told = row(told, regions)
    return told


def faults_of(facts: Facts, name: str) -> tuple[Fault, ...]:
    """The faults that stand in a list of a payload, such as its `errors`."""
    found = facts.get(name)
    return tuple(
        Fault(text_of(each, "code"), text_of(each, "pointer"), text_of(each, "value"), part_of(each, "parameters"))
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, Mapping)
    )
