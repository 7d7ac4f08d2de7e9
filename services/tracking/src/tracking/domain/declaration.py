"""The state of a declaration as far as its events tell it: main state, regions, details that events name. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tracking.domain.facts import Facts, part_of, text_of
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
    """The `standing.MATTERS` that control waits for."""
    documents: tuple[str, ...] = ()
    """Types of the latest request for documents."""
    holds: tuple[Hold, ...] = ()
    money: str = "none"
    """`none`, or a key of `standing.OWED`."""
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
        """Whether control waits for one of `standing.MATTERS`."""
        return matter in self.control


def faults_of(facts: Facts, name: str) -> tuple[Fault, ...]:
    """The faults in a list of a payload, such as its `errors`."""
    found = facts.get(name)
    return tuple(
        Fault(text_of(each, "code"), text_of(each, "pointer"), text_of(each, "value"), part_of(each, "parameters"))
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, Mapping)
    )
