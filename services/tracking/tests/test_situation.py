"""Every standing has a situation: where the declaration is, what failed, what it waits for, who must act, by when."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from contracts.texts import LANGUAGES
from tracking.domain.decision_table import BEFORE_HOLDS, BEHIND_HOLDS, STEPS
from tracking.domain.declaration import Case, Hold, Main, Standing
from tracking.domain.entry import Entry
from tracking.domain.obstacle import Role
from tracking.domain.situation import situation, situations
from tracking.domain.standing import MATTERS
from tracking.domain.timeline import timeline
from tracking.wording import say

EntryMaker = Callable[..., Entry]
D = "declarations.declaration."
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
PAY_BY = "2026-01-20T16:00:00+00:00"


def _after(an_entry: EntryMaker, *facts: tuple[str, dict[str, Any]]) -> Any:
    entries = [
        an_entry(D + fact, seq=number, declaration_id="D-1", lrn="L-1", **{"direction": "import", **payload})
        for number, (fact, payload) in enumerate(facts, start=1)
    ]
    (found,) = situations(timeline(entries))
    return found


SUBMITTED: tuple[str, dict[str, Any]] = ("submitted", {})
ACCEPTED: tuple[str, dict[str, Any]] = ("accepted", {"declaration_number": "42"})
GREEN: tuple[str, dict[str, Any]] = ("routed", {"lane": "green"})
ASSESSED: tuple[str, dict[str, Any]] = (
    "assessed",
    {"total": {"amount": "100.00", "currency": "CNY"}, "pay_by": PAY_BY},
)
PAID: tuple[str, dict[str, Any]] = ("payment_recorded", {"status": "paid"})
PRESENTED: tuple[str, dict[str, Any]] = ("presented", {})
RELEASED: tuple[str, dict[str, Any]] = ("released", {})


@pytest.mark.parametrize(
    ("facts", "waiting_for", "who"),
    [
        ([SUBMITTED], "checking", Role.PLATFORM),
        ([SUBMITTED, ("prelodged", {})], "arrival", Role.CARRIER),
        ([SUBMITTED, ACCEPTED], "routing", Role.PLATFORM),
        ([SUBMITTED, ACCEPTED, GREEN], "assessment", Role.PLATFORM),
        ([SUBMITTED, ACCEPTED, ("routed", {"lane": "yellow"})], "document_check", Role.CUSTOMS),
        (
            [SUBMITTED, ACCEPTED, ("routed", {"lane": "yellow"}), ("documents_requested", {})],
            "documents",
            Role.DECLARANT,
        ),
        ([SUBMITTED, ACCEPTED, ("routed", {"lane": "red"}), ("inspection_ordered", {})], "inspection", Role.INSPECTION),
        (
            [SUBMITTED, ACCEPTED, ("routed", {"lane": "red"}), ("inspection_completed", {"result": "discrepancy"})],
            "discrepancy",
            Role.CUSTOMS,
        ),
        ([SUBMITTED, ACCEPTED, GREEN, ("hold_placed", {"hold": "quarantine"})], "hold_lift", Role.AGENCY),
        (
            [SUBMITTED, ACCEPTED, GREEN, ("hold_placed", {"hold": "q"}), ("hold_lifted", {"hold": "q"})],
            "assessment",
            Role.PLATFORM,
        ),
        ([SUBMITTED, ACCEPTED, GREEN, ASSESSED], "payment", Role.PAYER),
        ([SUBMITTED, ACCEPTED, GREEN, ASSESSED, ("payment_recorded", {"status": "short"})], "payment_rest", Role.PAYER),
        ([SUBMITTED, ACCEPTED, GREEN, ASSESSED, PAID], "presentation", Role.PORT),
        ([SUBMITTED, ACCEPTED, GREEN, ASSESSED, PAID, PRESENTED], "release", Role.PLATFORM),
        ([SUBMITTED, ACCEPTED, GREEN, ASSESSED, PAID, PRESENTED, RELEASED], "removal", Role.PORT),
        ([SUBMITTED, ACCEPTED, RELEASED, ("removed", {})], "closing", Role.PLATFORM),
        ([SUBMITTED, ACCEPTED, RELEASED, ("removed", {}), ("closed", {})], "nothing", Role.NOBODY),
        ([RELEASED, ("closed", {}), ("case_opened", {"reason": "payment_reversed"})], "case", Role.CUSTOMS),
        (
            [ACCEPTED, ("case_opened", {"reason": "removed_before_release"}), RELEASED, ("removed", {})],
            "case",
            Role.CUSTOMS,
        ),
    ],
)
def test_what_a_declaration_waits_for_and_who_must_act(
    an_entry: EntryMaker, facts: list[tuple[str, dict[str, Any]]], waiting_for: str, who: Role
) -> None:
    first = _after(an_entry, *facts).obstacles[0]
    assert (first.waiting_for, first.who) == (waiting_for, who)


def _noted(kind: str, id_: str, **payload: Any) -> tuple[str, dict[str, Any]]:
    return "partner_event_noted", {"kind": kind, "publisher": "port-qd", "submission_id": id_, **payload}


GONE = _noted("shipment.gate_out", "g-1")
SORRY = _noted("shipment.gate_out", "g-2", retracts="g-1")
OWED = [SUBMITTED, ACCEPTED, GREEN, ASSESSED]


@pytest.mark.parametrize("before", [OWED[:1], OWED[:2], OWED, [SUBMITTED, ("rejected", {"errors": []})]])
def test_goods_that_left_without_release_are_a_contradiction_for_customs(
    an_entry: EntryMaker, before: list[tuple[str, dict[str, Any]]]
) -> None:
    found = _after(an_entry, *before, GONE)
    first = found.obstacles[0]
    assert (first.waiting_for, first.who) == ("departure", Role.CUSTOMS)
    assert [each.code for each in first.failed] == ["left_unreleased"]
    for language in LANGUAGES:
        assert say(f"waiting.{found.waiting_for}", language) != f"waiting.{found.waiting_for}"


def test_the_contradiction_ends_with_the_retraction_or_the_release_whatever_comes_first(an_entry: EntryMaker) -> None:
    for facts in ([GONE, SORRY], [SORRY, GONE]):
        assert _after(an_entry, *OWED, *facts).waiting_for == "payment"
    assert _after(an_entry, *OWED, GONE, RELEASED, ("removed", {})).waiting_for == "closing"
    others = _noted("shipment.gate_out", "g-2", retracts="g-1", publisher="carrier-x")
    assert _after(an_entry, *OWED, GONE, others).waiting_for == "departure"


def test_an_export_may_leave_the_port_but_not_the_country(an_entry: EntryMaker) -> None:
    export: list[tuple[str, dict[str, Any]]] = [(fact, {**payload, "direction": "export"}) for fact, payload in OWED]
    gone, exited = GONE, _noted("exit.confirmed", "x-1", direction="export")
    assert _after(an_entry, *export, (gone[0], {**gone[1], "direction": "export"})).waiting_for == "payment"
    assert _after(an_entry, *export, exited).waiting_for == "departure"


def test_an_export_waits_for_its_exit(an_entry: EntryMaker) -> None:
    assert _after(an_entry, ("released", {"direction": "export"})).waiting_for == "exit"


def test_a_payment_has_its_deadline_and_says_when_it_is_overdue(an_entry: EntryMaker) -> None:
    due = _after(an_entry, SUBMITTED, ACCEPTED, GREEN, ASSESSED).obstacles[0]
    overdue = _after(an_entry, SUBMITTED, ACCEPTED, GREEN, ASSESSED, ("payment_overdue", {})).obstacles[0]
    assert due.by is not None
    assert due.by.isoformat() == PAY_BY
    assert (due.failed, [each.code for each in overdue.failed]) == ((), ["overdue"])


def test_a_rejection_names_the_fields_and_a_correction_starts_again(an_entry: EntryMaker) -> None:
    errors = [{"code": "declaration.packages.sum", "pointer": "/total_packages", "value": "3"}]
    rejected = _after(an_entry, SUBMITTED, ("rejected", {"errors": errors}))
    on_arrival = _after(an_entry, SUBMITTED, ("prelodged", {}), ("rejected", {"errors": errors}))
    assert (on_arrival.where, on_arrival.waiting_for) == (Main.REJECTED, "correction")
    corrected = _after(an_entry, SUBMITTED, ("rejected", {"errors": errors}), ("submitted", {}))
    (fault,) = rejected.obstacles[0].faults
    assert (fault.code, fault.pointer, fault.value) == ("declaration.packages.sum", "/total_packages", "3")
    assert (corrected.where, corrected.obstacles[0].faults) == (Main.SUBMITTED, ())


def test_an_event_of_an_earlier_rank_never_moves_the_state_back(an_entry: EntryMaker) -> None:
    assert _after(an_entry, RELEASED, ("prelodged", {})).where is Main.RELEASED


def test_an_unanswered_submission_is_shown_as_received(an_entry: EntryMaker) -> None:
    lodged = an_entry("gateway.declaration.submitted", subject="R-1", declaration={"lrn": "L-9"})
    (found,) = situations(timeline([lodged]))
    assert (found.where, found.obstacles[0].who) == (Main.RECEIVED, Role.PLATFORM)


def test_every_standing_has_an_answer_and_every_row_is_reached() -> None:
    reached = set()
    rows = (*BEFORE_HOLDS, *BEHIND_HOLDS, *STEPS)
    for main, lane, money, control, flags in product(
        Main,
        ("", "green", "yellow", "red"),
        ("none", "due", "short", "overdue", "reversed", "paid"),
        ((), *((matter,) for matter in MATTERS), MATTERS),
        product((False, True), repeat=4),
    ):
        standing = Standing(
            main=main,
            lane=lane,
            money=money,
            control=frozenset(control),
            documents=("380",) if flags[0] else (),
            holds=(Hold("agency", "permit", START),) if flags[1] else (),
            presented=flags[2],
            direction="export" if flags[2] else "import",
            cases=(Case("audit", START),) if flags[1] else (),
            gone=flags[3],
        )
        assert situation(standing).obstacles
        reached |= {number for number, row in enumerate(rows) if row.holds(standing)}
    assert reached == set(range(len(rows)))
