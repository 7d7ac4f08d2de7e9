"""Where a declaration is, and every obstacle on its way: what it waits for, who must act, since when, by when.

```
events ──fold──▶ Standing ──every row that holds──▶ obstacles, the one that decides first
                                     └── none ──▶ the first row of STEPS that holds: the platform's, or nobody's
```

Pure, and without a clock: whether a deadline has passed is the reader's to say.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tracking.domain.folding import standings
from tracking.domain.held import Held
from tracking.domain.standing import MATTERS, Fault, Main, Standing
from tracking.domain.timeline import Step


class Role(StrEnum):
    """Who must act."""

    NOBODY = "nobody"
    PLATFORM = "platform"
    DECLARANT = "declarant"
    PAYER = "payer"
    CARRIER = "carrier"
    PORT = "port"
    CUSTOMS = "customs"
    INSPECTION = "inspection"
    AGENCY = "agency"
    EXIT_OFFICE = "exit_office"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, or what exactly is asked for: a code of the text catalogue with its values."""

    code: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that a declaration waits for."""

    waiting_for: str
    who: Role
    actor: str = ""
    """By name, such as a partner's code or an enterprise's number; empty where no event names it."""
    since: datetime | None = None
    """When it began."""
    by: datetime | None = None
    """Its own deadline; none where no event names one."""
    detail: Trouble | None = None
    failed: tuple[Trouble, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """The answer for one declaration; the codes are those of the text catalogue."""

    standing: Standing
    where: Main
    obstacles: tuple[Obstacle, ...]
    """The one that decides first; never none."""

    @property
    def waiting_for(self) -> str:
        return self.obstacles[0].waiting_for


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the decision table."""

    holds: Callable[[Standing], bool]
    waiting_for: str
    who: Role
    began: tuple[str, ...] = ("main",)
    """The regions that it stands on."""
    failed: str = ""
    actor: Callable[[Standing], str] = lambda _: ""
    detail: Callable[[Standing], Trouble | None] = lambda _: None
    to_pay: bool = False
    """Whether the payment deadline is its own."""


def _is(main: Main) -> Callable[[Standing], bool]:
    return lambda standing: standing.main is main


def _under_control(standing: Standing) -> bool:
    return standing.main in (Main.ACCEPTED, Main.ASSESSED)


def _before_release(standing: Standing) -> bool:
    return standing.main is Main.PRELODGED or _under_control(standing)


def _examined(matter: str) -> Callable[[Standing], bool]:
    return lambda standing: _under_control(standing) and standing.waits_for(matter)


def _owing(*money: str) -> Callable[[Standing], bool]:
    return lambda standing: _under_control(standing) and standing.money in money


def _party(*roles: str) -> Callable[[Standing], str]:
    """Those of the first role that is named."""
    return lambda standing: next((standing.parties[role] for role in roles if role in standing.parties), "")


def _payers(standing: Standing) -> str:
    """Who is named as payer; else the declarant, and whose declaration it is."""
    if "payer" in standing.parties:
        return standing.parties["payer"]
    principal = "exporter" if standing.direction == "export" else "importer"
    found = [standing.parties[role] for role in ("declarant", principal) if role in standing.parties]
    return ", ".join(dict.fromkeys(found))


def _office(standing: Standing) -> str:
    return standing.office


def _place(standing: Standing) -> str:
    return standing.place


def _asked_for(standing: Standing) -> Trouble | None:
    return Trouble("documents", {"documents": ", ".join(standing.documents)}) if standing.documents else None


def _amounts(standing: Standing) -> Trouble | None:
    if not standing.due:
        return None
    named = {"due": standing.due, "paid": standing.paid, "reference": standing.payment_reference}
    values = {name: value for name, value in named.items() if value}
    return Trouble("_".join(("owed", *(name for name in ("paid", "reference") if name in values))), values)


def _correction(standing: Standing) -> bool:
    return standing.main is Main.REJECTED


BEFORE_HOLDS: tuple[Row, ...] = (
    # Goods that are gone contradict whatever else the declaration waits for.
    Row(lambda s: s.left_unreleased, "departure", Role.CUSTOMS, ("left",), "left_unreleased", _office),
    Row(_correction, "correction", Role.DECLARANT, failed="rejected", actor=_party("declarant")),
    Row(_is(Main.PRELODGED), "arrival", Role.CARRIER, actor=_party("carrier")),
)

BEHIND_HOLDS: tuple[Row, ...] = (
    Row(lambda s: _under_control(s) and not s.lane, "routing", Role.PLATFORM, ("accepted",)),
    Row(
        lambda s: _before_release(s) and s.waits_for("documents_requested"),
        "documents",
        Role.DECLARANT,
        ("documents_requested",),
        actor=_party("declarant"),
        detail=_asked_for,
    ),
    Row(_examined("document_check"), "document_check", Role.CUSTOMS, ("lane", "document_check"), actor=_office),
    Row(_examined("discrepancy"), "discrepancy", Role.CUSTOMS, ("discrepancy",), "discrepancy", _office),
    Row(_examined("inspection_ordered"), "inspection", Role.INSPECTION, ("lane", "inspection_ordered"), actor=_office),
    Row(
        lambda s: s.main is Main.ACCEPTED and bool(s.lane) and not s.control and not s.value_unknown,
        "assessment",
        Role.PLATFORM,
        ("lane", *MATTERS),
    ),
    Row(_owing("overdue"), "payment", Role.PAYER, ("owes",), "overdue", _payers, _amounts, to_pay=True),
    Row(_owing("short"), "payment_rest", Role.PAYER, ("owes",), "short", _payers, _amounts, to_pay=True),
    Row(_owing("reversed"), "payment", Role.PAYER, ("owes",), "reversed", _payers, _amounts, to_pay=True),
    Row(_owing("due"), "payment", Role.PAYER, ("owes",), "", _payers, _amounts, to_pay=True),
    Row(
        lambda s: _under_control(s) and not s.presented,
        "presentation",
        Role.PORT,
        ("accepted", "presented"),
        actor=_place,
    ),
    Row(lambda s: s.main is Main.RELEASED and s.direction == "export", "exit", Role.EXIT_OFFICE),
    Row(lambda s: s.main is Main.RELEASED and s.direction != "export", "removal", Role.PORT, actor=_place),
)
"""The decision table, on either side of the holds: every row that holds is an obstacle, the first one decides."""

STEPS: tuple[Row, ...] = (
    Row(_is(Main.CLOSED), "nothing", Role.NOBODY),
    Row(_is(Main.RECEIVED), "checking", Role.PLATFORM),
    Row(_is(Main.SUBMITTED), "checking", Role.PLATFORM),
    Row(
        _is(Main.ASSESSED),
        "release",
        Role.PLATFORM,
        ("accepted", *MATTERS, "holds", "owes", "presented", "left"),
    ),
    Row(lambda _: True, "closing", Role.PLATFORM),
)
"""What follows by itself where no obstacle is left; the last row always holds."""


def situation(standing: Standing, held: Sequence[Held] = ()) -> Situation:
    """The answer for a standing and what the platform holds back of its input; every standing has one."""
    rows = [[_obstacle(row, standing) for row in part if row.holds(standing)] for part in (BEFORE_HOLDS, BEHIND_HOLDS)]
    found = [*_held(held), *rows[0], *_holds(standing), *rows[1], *_cases(standing)]
    if not found:
        found = [_obstacle(next(row for row in STEPS if row.holds(standing)), standing)]
    return Situation(standing, standing.main, tuple(found))


def situations(steps: Iterable[Step], held: Sequence[Held] = ()) -> tuple[Situation, ...]:
    """One answer for each declaration of a timeline, in the order of their first events."""
    found = standings(steps)
    others = {each.declaration_id for each in found}
    return tuple(
        situation(standing, [each for each in held if each.keeps_back(standing.declaration_id, others)])
        for standing in found
    )


def _obstacle(row: Row, standing: Standing) -> Obstacle:
    began = [standing.since[region] for region in row.began if region in standing.since]
    return Obstacle(
        row.waiting_for,
        row.who,
        row.actor(standing),
        since=max(began) if began and row.who is not Role.NOBODY else None,
        by=standing.pay_by if row.to_pay else None,
        detail=row.detail(standing),
        failed=(Trouble(row.failed),) if row.failed else (),
        faults=standing.faults if row.waiting_for == "correction" else (),
    )


def _held(held: Sequence[Held]) -> list[Obstacle]:
    """What the platform must mend before any other answer can be trusted, one obstacle a service."""
    obstacles = []
    for service in dict.fromkeys(each.service for each in held):
        own = [each for each in held if each.service == service]
        count, since = sum(each.count for each in own), min(each.since for each in own)
        trouble = Trouble("held", {"count": str(count), "service": service})
        obstacles.append(Obstacle("held", Role.PLATFORM, service, since, failed=(trouble,)))
    return obstacles


def _holds(standing: Standing) -> list[Obstacle]:
    if not _before_release(standing):
        return []
    return [
        Obstacle("hold_lift", Role.AGENCY, each.agency, each.since, failed=(Trouble("hold", {"hold": each.code}),))
        for each in sorted(standing.holds, key=lambda hold: hold.since)
    ]


def _cases(standing: Standing) -> list[Obstacle]:
    """Cases have no end among the events: once opened, customs must act.

    While the goods are gone without a release, that is the obstacle, and its case is not told beside it.
    """
    told = "removed_before_release" if standing.left_unreleased else ""
    return [
        Obstacle("case", Role.CUSTOMS, standing.office, each.since, failed=(Trouble("case", {"reason": each.reason}),))
        for each in standing.cases
        if each.reason != told
    ]
