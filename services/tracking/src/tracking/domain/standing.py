"""Tables that map each published value of a declaration's life to what the desk shows, and nothing else.

The declarations service decides the life cycle: every event carries the main status and a summary of the regions after
it. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from tracking.domain.declaration import Main, Standing
from tracking.domain.facts import Facts, part_of, text_of, texts_of

MAINS: Mapping[str, Main] = {
    **{main.value: main for main in Main if main is not Main.RECEIVED},
    "under_control": Main.ACCEPTED,  # the obstacles show what control waits for
}
"""Published main status → state shown."""

MATTERS = ("documents_requested", "document_check", "discrepancy", "inspection_ordered")
"""What control may wait for, as published; each is a separate obstacle."""

OWED: Mapping[str, bool] = {"nil": False, "due": True, "short": True, "paid": False, "reversed": True, "overdue": True}
"""Status of the money (as published, or `overdue`) → whether a payment is outstanding."""


def owes(standing: Standing) -> bool:
    """Whether a payment is outstanding."""
    return OWED.get(standing.money, False)


def _waits_for(matter: str) -> Callable[[Standing], object]:
    return lambda standing: standing.waits_for(matter)


REGIONS: Mapping[str, Callable[[Standing], object]] = {
    "main": lambda standing: standing.main,
    "accepted": lambda standing: standing.accepted,
    "lane": lambda standing: standing.lane,
    **{matter: _waits_for(matter) for matter in MATTERS},
    "holds": lambda standing: bool(standing.holds),
    "owes": owes,
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
