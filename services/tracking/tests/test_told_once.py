"""The declarations service publishes a declaration's state: each value is shown, and older events are still read."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from contracts.declarations.v1 import ControlMatter, MainStatus, MoneyStatus, RegionSummary
from contracts.texts import catalogue
from tracking.domain.decision_table import BEHIND_HOLDS
from tracking.domain.declaration import Main, Standing
from tracking.domain.entry import Entry
from tracking.domain.folding import standings
from tracking.domain.situation import Situation, situations
from tracking.domain.standing import MAINS, MATTERS, OWED, TOLD
from tracking.domain.timeline import timeline

EntryMaker = Callable[..., Entry]
D = "declarations.declaration."
CALM = {
    "control": [],
    "held": False,
    "money": "nil",
    "overdue": False,
    "presented": False,
    "left_unreleased": False,
}
"""The summary of a declaration without control, holds, money or presence."""
OWING = {**CALM, "money": "due"}
TOTAL = {"total": {"amount": "100.00", "currency": "CNY"}}


@pytest.mark.parametrize("status", MainStatus)
def test_every_main_status_has_a_row_and_words(status: MainStatus) -> None:
    assert status.value in MAINS
    assert f"tracking.where.{MAINS[status.value]}" in catalogue()
    assert f"tracking.where.{status}" in catalogue()


def test_every_value_of_a_region_has_a_row_and_there_are_no_other_rows() -> None:
    assert set(MAINS) == set(MainStatus)
    assert set(TOLD) == set(RegionSummary.model_fields)
    assert set(MATTERS) == set(ControlMatter)
    assert set(OWED) == {*MoneyStatus, "overdue"}


@pytest.mark.parametrize("matter", ControlMatter)
def test_everything_that_control_waits_for_is_an_obstacle_with_a_text(matter: ControlMatter) -> None:
    rows = [row for row in BEHIND_HOLDS if row.holds(Standing(main=Main.ACCEPTED, lane="red", presented=True,
            control=frozenset({matter.value})))]  # fmt: skip
    assert len(rows) == 1
    assert f"tracking.waiting.{rows[0].waiting_for}" in catalogue()


@pytest.mark.parametrize("money", [each for each in OWED if OWED[each]])
def test_every_outstanding_payment_is_an_obstacle_with_a_text(money: str) -> None:
    (row,) = [row for row in BEHIND_HOLDS if row.to_pay and row.holds(Standing(main=Main.ASSESSED, money=money))]
    assert f"tracking.waiting.{row.waiting_for}" in catalogue()


@pytest.fixture
def told(an_entry: EntryMaker) -> Callable[..., Situation]:
    """Builder of the situation after (fact, main status, summary, payload) of one declaration."""

    def make(*facts: tuple[str, str, dict[str, Any], dict[str, Any]]) -> Situation:
        entries = [
            an_entry(D + fact, seq=number, minute=number, declaration_id="D-1", direction="import", main_status=status,
                     regions=regions, **payload)
            for number, (fact, status, regions, payload) in enumerate(facts, start=1)
        ]  # fmt: skip
        (found,) = situations(timeline(entries))
        return found

    return make


Told = Callable[..., Situation]


def test_a_summary_takes_effect_even_if_the_event_that_changed_it_is_missing(told: Told) -> None:
    found = told(("hold_lifted", "under_control", {**CALM, "control": ["discrepancy"]}, {"hold": "q"}))
    assert found.where is Main.ACCEPTED
    assert [each.waiting_for for each in found.obstacles] == ["routing", "discrepancy", "presentation"]


def test_a_request_retracted_by_customs_is_no_longer_waited_for(told: Told) -> None:
    """No fact reports the retraction of a request; the summary of the next event shows it."""
    asked = {**CALM, "control": ["documents_requested"], "presented": True}
    facts = [
        ("accepted", "accepted", CALM, {}),
        ("routed", "under_control", CALM, {"lane": "green"}),
        ("documents_requested", "under_control", asked, {"documents": ["861"]}),
    ]
    assert told(*facts).waiting_for == "documents"
    noted = ("partner_event_noted", "under_control", {**CALM, "presented": True}, {"kind": "x", "publisher": "c"})
    assert told(*facts, noted).waiting_for == "assessment"


def test_a_payment_is_overdue_until_its_status_changes(told: Told) -> None:
    assessed = ("assessed", "assessed", OWING, TOTAL)
    late = {**OWING, "overdue": True}
    accepted = [("accepted", "accepted", CALM, {}), ("routed", "under_control", CALM, {"lane": "green"}), assessed]
    overdue = [*accepted, ("payment_deadline_passed", "assessed", late, {}), ("payment_overdue", "assessed", late, {})]
    assert [each.code for each in told(*overdue).obstacles[0].failed] == ["overdue"]
    short = ("payment_recorded", "assessed", {**late, "money": "short"}, {"status": "short"})
    assert told(*overdue, short).waiting_for == "payment_rest"
    paid = ("payment_recorded", "assessed", {**late, "money": "paid"}, {"status": "paid"})
    assert told(*overdue, paid).waiting_for == "presentation"


def test_a_payment_in_full_after_the_deadline_is_no_longer_outstanding(told: Told) -> None:
    """The fact has the amount paid by the deadline; the summary has the amount paid since."""
    paid = {**CALM, "money": "paid", "overdue": True}
    facts = [("accepted", "accepted", CALM, {}), ("routed", "under_control", CALM, {"lane": "green"})]
    assert told(*facts, ("assessed", "assessed", OWING, TOTAL)).waiting_for == "payment"
    late = ("payment_overdue", "assessed", paid, {"paid": {"amount": "1.00", "currency": "CNY"}})
    assert told(*facts, ("assessed", "assessed", OWING, TOTAL), late).waiting_for == "presentation"


def test_a_retracted_discrepancy_is_no_obstacle(told: Told) -> None:
    facts = [
        ("accepted", "accepted", CALM, {}),
        ("routed", "under_control", CALM, {"lane": "green"}),
        ("inspection_completed", "under_control", {**CALM, "control": ["discrepancy"]}, {"result": "discrepancy"}),
    ]
    assert told(*facts).waiting_for == "discrepancy"
    assert told(*facts, ("partner_event_noted", "under_control", CALM, {})).waiting_for == "assessment"


def test_goods_that_left_stay_an_obstacle_until_release_or_until_the_summary_clears_it(told: Told) -> None:
    gone = {**OWING, "left_unreleased": True}
    assert told(("partner_event_noted", "assessed", gone, {})).waiting_for == "departure"
    assert told(("partner_event_noted", "assessed", gone, {}), ("x", "assessed", OWING, {})).waiting_for == "routing"
    assert told(("removed", "removed", gone, {})).waiting_for == "closing"


def test_an_unknown_main_status_leaves_the_state_that_the_fact_gives(told: Told) -> None:
    assert told(("released", "something_newer", CALM, {})).where is Main.RELEASED


LIFE: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("submitted", "submitted", CALM, {}),
    ("prelodged", "prelodged", CALM, {}),
    ("accepted", "accepted", CALM, {}),
    ("routed", "under_control", {**CALM, "control": ["document_check"]}, {"lane": "yellow"}),
    ("documents_accepted", "under_control", CALM, {}),
    ("assessed", "assessed", OWING, TOTAL),
    ("presented", "assessed", {**OWING, "presented": True}, {}),
    ("payment_recorded", "assessed", {**CALM, "money": "paid", "presented": True}, {"status": "paid"}),
    ("released", "released", {**CALM, "money": "paid", "presented": True}, {}),
    ("removed", "removed", {**CALM, "money": "paid", "presented": True}, {}),
    ("closed", "closed", {**CALM, "money": "paid", "presented": True}, {}),
]


@pytest.mark.parametrize("bare", list(product((False, True), repeat=4)))
def test_events_with_and_without_a_summary_give_the_same_result_in_any_mix(
    an_entry: EntryMaker, bare: tuple[bool, ...]
) -> None:
    """Mixes occur while replicas of two releases publish, and in timelines that began before summaries existed."""

    def shown(*, without: Callable[[int], bool]) -> list[tuple[Any, ...]]:
        entries = []
        for number, (fact, status, regions, payload) in enumerate(LIFE, start=1):
            summary = {} if without(number) else {"main_status": status, "regions": regions}
            entries.append(an_entry(D + fact, seq=number, minute=number, declaration_id="D-1", direction="import",
                                    **summary, **payload))  # fmt: skip
        stages = [situations(timeline(entries[:count]))[0] for count in range(1, len(entries) + 1)]
        return [(each.where, each.obstacles) for each in stages]

    assert shown(without=lambda number: bare[number % 4]) == shown(without=lambda _: True)


def test_holds_are_cleared_when_the_summary_has_none(an_entry: EntryMaker) -> None:
    placed = an_entry(D + "hold_placed", seq=1, declaration_id="D-1", hold="q", main_status="assessed",
                      regions={**CALM, "held": True})  # fmt: skip
    after = an_entry(D + "presented", seq=2, declaration_id="D-1", main_status="assessed", regions=CALM)
    (held,), (free,) = standings(timeline([placed])), standings(timeline([placed, after]))
    assert ([each.code for each in held.holds], free.holds) == (["q"], ())
