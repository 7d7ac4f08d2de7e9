"""The decision table of obstacles, one row each, and the automatic steps without an obstacle.

Pure, and without a clock: whether a deadline has passed is the reader's to say.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tracking.domain.declaration import Main, Standing
from tracking.domain.obstacle import Role, Trouble
from tracking.domain.standing import MATTERS


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the decision table."""

    holds: Callable[[Standing], bool]
    waiting_for: str
    who: Role
    began: tuple[str, ...] = ("main",)
    """The regions it depends on; it began when the last of them changed."""
    failed: str = ""
    actor: Callable[[Standing], str] = lambda _: ""
    detail: Callable[[Standing], Trouble | None] = lambda _: None
    to_pay: bool = False
    """Whether its deadline is the payment deadline."""


def _is(main: Main) -> Callable[[Standing], bool]:
    return lambda standing: standing.main is main


def _under_control(standing: Standing) -> bool:
    return standing.main in (Main.ACCEPTED, Main.ASSESSED)


def before_release(standing: Standing) -> bool:
    """Whether it is on its way to its release."""
    return standing.main is Main.PRELODGED or _under_control(standing)


def _examined(matter: str) -> Callable[[Standing], bool]:
    return lambda standing: _under_control(standing) and standing.waits_for(matter)


def _owing(*money: str) -> Callable[[Standing], bool]:
    return lambda standing: _under_control(standing) and standing.money in money


def _party(*roles: str) -> Callable[[Standing], str]:
    """The party of the first of these roles that the declaration names."""
    return lambda standing: next((standing.parties[role] for role in roles if role in standing.parties), "")


def _payers(standing: Standing) -> str:
    """The payer, or else the declarant and the importer (of an import) or exporter (of an export)."""
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
    # Goods that left without release take precedence over everything else.
    Row(lambda s: s.left_unreleased, "departure", Role.CUSTOMS, ("left",), "left_unreleased", _office),
    Row(_correction, "correction", Role.DECLARANT, failed="rejected", actor=_party("declarant")),
    Row(_is(Main.PRELODGED), "arrival", Role.CARRIER, actor=_party("carrier")),
)

BEHIND_HOLDS: tuple[Row, ...] = (
    Row(lambda s: _under_control(s) and not s.lane, "routing", Role.PLATFORM, ("accepted",)),
    Row(
        lambda s: before_release(s) and s.waits_for("documents_requested"),
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
"""The decision table before and after the holds: every row that holds is an obstacle, the first one is decisive."""

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
"""The automatic next step if there is no obstacle; the last row always holds."""
