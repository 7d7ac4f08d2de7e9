"""Every obstacle is listed with its own actor, start and deadline; unrelated events do not change its start."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tracking.domain.entry import Entry
from tracking.domain.held import Held
from tracking.domain.obstacle import Obstacle, Role
from tracking.domain.situation import Situation, situations
from tracking.domain.timeline import timeline

EntryMaker = Callable[..., Entry]
Fact = tuple[str, dict[str, Any]]

D = "declarations.declaration."
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
PAY_BY = "2026-01-20T16:00:00+00:00"
DECLARANT = {"role": "declarant", "identifier": {"scheme": "CN-USCC", "value": "91370200MA3DEMX012"}}
PAYER = {"role": "payer", "identifier": {"scheme": "CN-USCC", "value": "91370200MA3DEMX19U"}}
LODGED = {
    "customs_office": "4218",
    "transport": {"location": {"unlocode": "CNTAO", "facility": "Qianwan terminal"}},
}
SUBMITTED: Fact = ("submitted", {"declaration": LODGED, "parties": [DECLARANT, PAYER]})
ACCEPTED: Fact = ("accepted", {"number": "42"})
GREEN: Fact = ("routed", {"lane": "green"})
ASSESSED: Fact = ("assessed", {"total": {"amount": "5577.96", "currency": "CNY"}, "pay_by": PAY_BY})


def _noted(kind: str, publisher: str, **payload: Any) -> Fact:
    return "partner_event_noted", {"kind": kind, "publisher": publisher, "submission_id": f"{kind}/1", **payload}


@pytest.fixture
def after(an_entry: EntryMaker) -> Callable[..., Situation]:
    """Builder of the situation after facts one minute apart; what follows from a partner's event has its cause."""

    def make(*facts: Fact, held: tuple[Held, ...] = ()) -> Situation:
        entries, cause = [], ""
        for number, (fact, payload) in enumerate(facts, start=1):
            cause = f"P/{number}" if fact == "partner_event_noted" else cause
            said = {"direction": "import", "lrn": "L-1", **payload}
            entries.append(an_entry(D + fact, seq=number, minute=number, cause=cause, declaration_id="D-1", **said))
        (found,) = situations(timeline(entries), held)
        return found

    return make


After = Callable[..., Situation]


def _by_name(found: Situation) -> dict[str, Obstacle]:
    return {each.waiting_for: each for each in found.obstacles}


HELD = [_noted("hold.placed", "quarantine-qd", hold="quarantine"), ("hold_placed", {"hold": "quarantine"})]
ASKED = [
    _noted("control.documents_requested", "customs-qd", documents=["861"]),
    ("documents_requested", {"documents": ["861"]}),
]


def test_an_unpaid_declaration_with_a_hold_and_a_document_request_has_three_obstacles(after: After) -> None:
    found = _by_name(after(SUBMITTED, ACCEPTED, GREEN, ASSESSED, *HELD, *ASKED, ("presented", {})))
    assert list(found) == ["hold_lift", "documents", "payment"]
    assert [each.who for each in found.values()] == [Role.AGENCY, Role.DECLARANT, Role.PAYER]
    assert [each.actor for each in found.values()] == [
        "quarantine-qd",
        "CN-USCC:91370200MA3DEMX012",
        "CN-USCC:91370200MA3DEMX19U",
    ]
    assert [each.by is not None for each in found.values()] == [False, False, True]
    begun = [START + timedelta(minutes=minute) for minute in (6, 8, 4)]
    assert [each.since for each in found.values()] == begun


def test_each_obstacle_names_its_actor_if_an_event_does(after: After) -> None:
    found = _by_name(after(SUBMITTED, ACCEPTED, ("routed", {"lane": "red"}), ("inspection_ordered", {})))
    assert (found["inspection"].who, found["inspection"].actor) == (Role.INSPECTION, "4218")
    assert (found["presentation"].who, found["presentation"].actor) == (Role.PORT, "CNTAO Qianwan terminal")
    unnamed: Fact = ("submitted", {"declaration": {}, "parties": []})
    assert _by_name(after(unnamed, ACCEPTED, GREEN))["presentation"].actor == ""


def test_a_payment_obstacle_has_the_amounts_owed_and_paid_and_the_reference(after: After) -> None:
    reference: Fact = ("assessed", {**ASSESSED[1], "payment_reference": "RF18539007547034"})
    short: Fact = ("payment_recorded", {"status": "short", "paid": {"amount": "1.00", "currency": "CNY"}})
    found = _by_name(after(SUBMITTED, ACCEPTED, GREEN, reference, short))["payment_rest"].detail
    assert found is not None
    assert found.values == {"due": "5577.96 CNY", "paid": "1.00 CNY", "reference": "RF18539007547034"}
    before = _by_name(after(SUBMITTED, ACCEPTED, GREEN, ASSESSED))["payment"].detail
    assert before is not None
    assert (before.code, before.values) == ("owed", {"due": "5577.96 CNY"})


def test_two_agencies_with_the_same_hold_code_are_two_holds(after: After) -> None:
    second = [_noted("hold.placed", "agency-b", hold="quarantine"), ("hold_placed", {"hold": "quarantine"})]
    lifted = [_noted("hold.lifted", "quarantine-qd", hold="quarantine"), ("hold_lifted", {"hold": "quarantine"})]
    both = after(SUBMITTED, ACCEPTED, GREEN, ASSESSED, *HELD, *second)
    assert [each.actor for each in both.obstacles if each.waiting_for == "hold_lift"] == ["quarantine-qd", "agency-b"]
    rest = after(SUBMITTED, ACCEPTED, GREEN, ASSESSED, *HELD, *second, *lifted)
    assert [each.actor for each in rest.obstacles if each.waiting_for == "hold_lift"] == ["agency-b"]


LATER: list[list[Fact]] = [
    [_noted("shipment.border_crossed", "rail-kz")],
    [_noted("shipment.gate_in", "port-qd", without_effect="not_concerned")],
    [("submission_refused", {"errors": []})],
    [("payment_recorded", {"status": "short", "paid": {"amount": "1.00", "currency": "CNY"}})],
    [("payment_overdue", {"pay_by": PAY_BY})],
    [("payment_deadline_passed", {"pay_by": PAY_BY})],
    [("documents_requested", {"documents": ["380"]})],
    [_noted("hold.placed", "agency-b", hold="permit"), ("hold_placed", {"hold": "permit"})],
]


@pytest.mark.parametrize("later", LATER)
def test_since_is_when_the_obstacle_began_and_later_events_do_not_change_it(after: After, later: list[Fact]) -> None:
    facts = [SUBMITTED, ACCEPTED, GREEN, ASSESSED, *HELD, *ASKED]
    before = {(each.waiting_for.removesuffix("_rest"), each.actor): each.since for each in after(*facts).obstacles}
    behind = {
        (each.waiting_for.removesuffix("_rest"), each.actor): each.since for each in after(*facts, *later).obstacles
    }
    assert before.items() <= behind.items()


def test_a_reversed_payment_is_waited_for_since_the_reversal(after: After) -> None:
    paid: Fact = ("payment_recorded", {"status": "paid"})
    found = _by_name(after(SUBMITTED, ACCEPTED, GREEN, ASSESSED, paid, ("payment_reversed", {"status": "reversed"})))
    assert found["payment"].since == START + timedelta(minutes=6)
    assert "payment" not in _by_name(after(SUBMITTED, ACCEPTED, GREEN, ASSESSED, paid))


def test_the_check_began_when_the_platform_received_the_declaration(after: After) -> None:
    at_the_door = START - timedelta(minutes=30)
    found = after(("submitted", {"received_at": at_the_door.isoformat()}))
    assert (found.waiting_for, found.obstacles[0].since) == ("checking", at_the_door)


def test_a_case_after_release_is_an_obstacle_of_customs_in_addition_to_the_removal(after: After) -> None:
    case: Fact = ("case_opened", {"reason": "audit"})
    found = _by_name(after(SUBMITTED, ACCEPTED, GREEN, ASSESSED, ("released", {}), case))
    assert list(found) == ["removal", "case"]
    assert (found["case"].who, found["case"].actor, found["case"].since) == (
        Role.CUSTOMS,
        "4218",
        START + timedelta(minutes=6),
    )


def test_customs_must_act_if_the_duties_cannot_be_assessed(after: After) -> None:
    case: Fact = ("case_opened", {"reason": "value_unknown"})
    found = after(SUBMITTED, ACCEPTED, GREEN, ("presented", {}), case)
    assert [(each.waiting_for, each.who) for each in found.obstacles] == [("case", Role.CUSTOMS)]


def test_two_cases_are_two_obstacles(after: After) -> None:
    cases: list[Fact] = [("case_opened", {"reason": "audit"}), ("case_opened", {"reason": "payment_reversed"})]
    found = after(SUBMITTED, ACCEPTED, ("released", {}), ("removed", {}), ("closed", {}), *cases)
    assert [each.waiting_for for each in found.obstacles] == ["case", "case"]


def test_parked_reports_are_the_first_obstacle_and_the_platform_must_act(after: After) -> None:
    since = START + timedelta(minutes=90)
    held = (Held("declarations", "D-1", 4, since, "refused"), Held("declarations", "t|6CNUCR1", 1, START, "schema"))
    found = after(SUBMITTED, ACCEPTED, GREEN, ASSESSED, held=held)
    first = found.obstacles[0]
    assert (first.waiting_for, first.who, first.actor, first.since) == ("held", Role.PLATFORM, "declarations", START)
    assert first.failed[0].values["count"] == "5"
    assert "payment" in _by_name(found)


def test_parked_deliveries_of_another_declaration_or_of_a_notice_are_no_obstacle(after: After) -> None:
    notice = Held("notifications", "N-1", 2, START, "refused")
    assert after(SUBMITTED, ACCEPTED, GREEN, held=(notice,)).waiting_for == "assessment"
    assert not Held("declarations", "D-2", 1, START, "refused").keeps_back("D-1", {"D-1", "D-2"})
    receipt = Held("gateway", "DC-1", 1, START, "refused")
    assert not receipt.keeps_back("D-1", {"D-1"})
    assert Held("gateway", "inbox.port-qd|6CNUCR1", 1, START, "undecodable").keeps_back("D-1", {"D-1"})


def test_a_report_noted_without_effect_is_ignored_until_it_is_noted_again(after: After) -> None:
    gone = _noted("shipment.gate_out", "port-qd", without_effect="not_concerned")
    counts = _noted("shipment.gate_out", "port-qd")
    assert after(SUBMITTED, ACCEPTED, GREEN, ASSESSED, gone).waiting_for == "payment"
    assert after(SUBMITTED, ACCEPTED, GREEN, ASSESSED, gone, counts).waiting_for == "departure"
    assert after(SUBMITTED, ACCEPTED, GREEN, ASSESSED, counts, gone).waiting_for == "payment"
