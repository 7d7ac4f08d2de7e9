"""Where a declaration is, what failed, what it waits for, who must act, and by when.

```
events ──fold──▶ Standing ──first row of ROWS that holds──▶ Situation
```

Pure, and without a clock: whether a deadline has passed is the reader's to say.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tracking.domain.standing import Main, Standing, standings
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
class Situation:
    """The answer for one declaration; the codes are those of the text catalogue."""

    standing: Standing
    where: Main
    waiting_for: str
    who: Role
    by: datetime | None = None
    failed: tuple[str, ...] = ()
    since: datetime | None = None
    """Since when it has waited: the time of the declaration's last event."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the decision table."""

    holds: Callable[[Standing], bool]
    waiting_for: str
    who: Role
    failed: Callable[[Standing], tuple[str, ...]] | str = ""
    """A code, or what finds the codes."""
    to_pay: bool = False
    """Whether the payment deadline counts."""


_GONE = (Main.REMOVED, Main.EXITED, Main.CLOSED)
"""Goods that left before their release stay removed or exited until customs has decided."""


def _is(main: Main) -> Callable[[Standing], bool]:
    return lambda standing: standing.main is main


def _under_control(standing: Standing) -> bool:
    return standing.main in (Main.ACCEPTED, Main.ASSESSED)


def _always(_: Standing) -> bool:
    return True


def _errors(standing: Standing) -> tuple[str, ...]:
    return standing.errors or ("rejected",)


def _holds(standing: Standing) -> tuple[str, ...]:
    return tuple(sorted(standing.holds))


def _unpaid(*money: str) -> Callable[[Standing], bool]:
    return lambda standing: _under_control(standing) and standing.money in money


ROWS: tuple[Row, ...] = (
    # Goods that are gone contradict whatever else the declaration waits for.
    Row(lambda s: s.left_unreleased, "departure", Role.CUSTOMS, failed="left_unreleased"),
    Row(lambda s: s.main in _GONE and bool(s.case), "case", Role.CUSTOMS),
    Row(_is(Main.CLOSED), "nothing", Role.NOBODY),
    Row(_is(Main.REJECTED), "correction", Role.DECLARANT, failed=_errors),
    Row(_is(Main.RECEIVED), "checking", Role.PLATFORM),
    Row(_is(Main.SUBMITTED), "checking", Role.PLATFORM),
    Row(_is(Main.PRELODGED), "arrival", Role.CARRIER),
    Row(lambda s: _under_control(s) and bool(s.holds), "hold_lift", Role.AGENCY, failed=_holds),
    Row(lambda s: _under_control(s) and not s.lane, "routing", Role.PLATFORM),
    Row(lambda s: _under_control(s) and s.documents_asked, "documents", Role.DECLARANT),
    Row(
        lambda s: _under_control(s) and s.lane == "yellow" and not s.documents_accepted,
        "document_check",
        Role.CUSTOMS,
    ),
    Row(
        lambda s: _under_control(s) and s.inspection == "discrepancy",
        "discrepancy",
        Role.CUSTOMS,
        failed="discrepancy",
    ),
    Row(
        lambda s: _under_control(s) and (s.inspection == "ordered" or (s.lane == "red" and not s.inspection)),
        "inspection",
        Role.INSPECTION,
    ),
    Row(_is(Main.ACCEPTED), "assessment", Role.PLATFORM),
    Row(_unpaid("overdue"), "payment", Role.PAYER, failed="overdue", to_pay=True),
    Row(_unpaid("short"), "payment_rest", Role.PAYER, failed="short", to_pay=True),
    Row(_unpaid("reversed"), "payment", Role.PAYER, failed="reversed", to_pay=True),
    Row(_unpaid("due"), "payment", Role.PAYER, to_pay=True),
    Row(lambda s: _under_control(s) and not s.presented, "presentation", Role.PORT),
    Row(_is(Main.ASSESSED), "release", Role.PLATFORM),
    Row(lambda s: s.main is Main.RELEASED and s.direction == "export", "exit", Role.EXIT_OFFICE),
    Row(_is(Main.RELEASED), "removal", Role.PORT),
    Row(_always, "closing", Role.PLATFORM),
)
"""The decision table: the first row that holds tells what a declaration waits for, and for whom."""


def situation(standing: Standing) -> Situation:
    """The answer of the decision table; every standing has one, as the last row always holds."""
    row = next(each for each in ROWS if each.holds(standing))
    failed = row.failed(standing) if callable(row.failed) else (row.failed,) if row.failed else ()
    return Situation(
        standing=standing,
        where=standing.main,
        waiting_for=row.waiting_for,
        who=row.who,
        by=standing.pay_by if row.to_pay else None,
        failed=(*failed, *((f"case:{standing.case}",) if standing.case else ())),
        since=standing.since,
    )


def situations(steps: Iterable[Step]) -> tuple[Situation, ...]:
    """One answer for each declaration of a timeline, in the order of their first events."""
    return tuple(situation(standing) for standing in standings(steps))
