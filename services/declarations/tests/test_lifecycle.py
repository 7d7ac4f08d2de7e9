"""The life cycle of a declaration: every state × command, both main paths, every lane, holds, retractions."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.declarations.tests.declaration_builders import (
    ARRIVED,
    DOCUMENTS_OK,
    EXIT,
    GATE_IN,
    GATE_OUT,
    INSPECTED,
    LAW,
    NOW,
    TOTAL,
    UCR,
    a_declaration,
    a_share,
    an_item,
    answer,
    declared_for,
    export,
    in_lane,
    lodge,
    names,
    note,
    paid,
    run,
)

from contracts.texts import LANGUAGES, text
from declarations.domain.claims import InspectionResult, Kind, WithoutEffect
from declarations.domain.commands import (
    AnswerParties,
    Command,
    CommandOutOfOrder,
    Lodge,
    NoteClaim,
    PassDeadline,
    Standing,
    TakeShare,
)
from declarations.domain.declaration import Function, Money
from declarations.domain.events import (
    CaseOpened,
    MoneyStatus,
    PartnerEventNoted,
    PaymentOverdue,
    PaymentRecorded,
    Released,
)
from declarations.domain.life import decide
from declarations.domain.regions import MONEY, regions
from declarations.domain.rules.header import MAX_VALUE
from declarations.domain.state import CaseReason, Lane, Status
from values.payments import payment_reference

BROKEN = lodge(a_declaration(goods=(an_item(commodity_code="12"),)))
RELEASE: list[Command] = [ARRIVED, GATE_IN, paid(TOTAL)]

REACHED: dict[Status | None, list[Command]] = {
    None: [],
    Status.SUBMITTED: [lodge()],
    Status.REJECTED: [BROKEN],
    Status.PRELODGED: [lodge(), answer()],
    Status.UNDER_CONTROL: [lodge(declared_for(Lane.RED)), answer(), ARRIVED],
    Status.ASSESSED: [lodge(), answer(), ARRIVED],
    Status.RELEASED: [lodge(), answer(), *RELEASE],
    Status.CLOSED: [lodge(), answer(), *RELEASE, GATE_OUT],
}
"""Commands that lead to each state. ACCEPTED, REMOVED and EXITED are only passed through within one decision."""

LODGED, REFUSED, NOTED, SHARED = "Submitted", "SubmissionRefused", "PartnerEventNoted", "PaymentAllocated"
NOTHING, OUT_OF_ORDER = "", "!"

TABLE = {
    #                       Lodge   AnswerParties  NoteClaim  TakeShare  PassDeadline
    None:                 (LODGED,  OUT_OF_ORDER, OUT_OF_ORDER, OUT_OF_ORDER, OUT_OF_ORDER),
    Status.SUBMITTED:     (REFUSED, "Prelodged",  NOTED, SHARED, OUT_OF_ORDER),
    Status.REJECTED:      (LODGED,  OUT_OF_ORDER, NOTED, SHARED, OUT_OF_ORDER),
    Status.PRELODGED:     (REFUSED, OUT_OF_ORDER, NOTED, SHARED, OUT_OF_ORDER),
    Status.ACCEPTED:      (REFUSED, OUT_OF_ORDER, NOTED, SHARED, OUT_OF_ORDER),
    Status.UNDER_CONTROL: (REFUSED, OUT_OF_ORDER, NOTED, SHARED, OUT_OF_ORDER),
    Status.ASSESSED:      (REFUSED, OUT_OF_ORDER, NOTED, SHARED, "PaymentDeadlinePassed"),
    Status.RELEASED:      (REFUSED, OUT_OF_ORDER, NOTED, SHARED, NOTHING),
    Status.REMOVED:       (REFUSED, OUT_OF_ORDER, NOTED, SHARED, NOTHING),
    Status.EXITED:        (REFUSED, OUT_OF_ORDER, NOTED, SHARED, NOTHING),
    Status.CLOSED:        (REFUSED, OUT_OF_ORDER, NOTED, SHARED, NOTHING),
}  # fmt: skip
COMMANDS = (Lodge, AnswerParties, NoteClaim, TakeShare, PassDeadline)


def in_status(status):
    """A state with this status: reached by commands, or as it is within a decision."""
    if status is None:
        return None
    if status in REACHED:
        state, _ = run(REACHED[status], law=in_lane(Lane.RED) if status is Status.UNDER_CONTROL else None)
        assert state.status is status
        return state
    return replace(run(REACHED[Status.RELEASED])[0], status=status)


@pytest.mark.parametrize("status", [None, *Status])
@pytest.mark.parametrize(
    "command", [lodge(receipt="R-2"), answer(), note(Kind.DEPARTED), a_share(), PassDeadline("payment")]
)
def test_every_pair_of_state_and_command_follows_the_table(status, command):
    wanted = TABLE[status][COMMANDS.index(type(command))]
    state = in_status(status)
    if wanted == OUT_OF_ORDER:
        with pytest.raises(CommandOutOfOrder):
            decide(state, command, now=NOW, law=LAW)
    else:
        assert ([*names(decide(state, command, now=NOW, law=LAW)), NOTHING])[0] == wanted


def test_an_import_completes_its_life_cycle():
    state, events = run([lodge(), answer(), ARRIVED, GATE_IN, paid(TOTAL), GATE_OUT])
    assert state.status is Status.CLOSED
    assert [name for name in names(events) if name != "PartnerEventNoted"] == [
        "Submitted", "Prelodged", "Accepted", "Routed", "Assessed", "Presented", "PaymentRecorded", "Released",
        "Removed", "Closed",
    ]  # fmt: skip
    assert state.number == "425820261000000042"
    assert state.accepted_at == ARRIVED.claim.received_at


def test_an_export_is_accepted_at_once_and_completes_its_life_cycle():
    state, events = run([lodge(export()), answer(), GATE_IN, EXIT])
    assert [name for name in names(events) if name != "PartnerEventNoted"] == [
        "Submitted", "Accepted", "Routed", "Assessed", "Presented", "Released", "Exited", "Closed",
    ]  # fmt: skip
    assert state.number == "425820260000000042"


def test_all_rule_errors_are_reported_at_once_and_the_registry_is_not_queried():
    goods = (an_item(commodity_code="12", net_mass_kg=Decimal(2200)),)
    state, events = run([lodge(a_declaration(goods=goods, incoterm="ABC"))])
    assert names(events) == ["Submitted", "Rejected"]
    assert {error.pointer for error in state.errors} == {
        "/goods/0/commodity_code", "/goods/0/net_mass_kg", "/incoterm",
    }  # fmt: skip
    assert state.try_after is None


def test_the_largest_values_that_pass_are_assessed():
    price = Money(MAX_VALUE - Decimal("0.01"), "GBP")
    items = tuple(an_item(number=number, price=price, gross_mass_kg=None, packages=None) for number in range(1, 1000))
    huge = a_declaration(goods=items, currency="GBP", incoterm="FOB", total_price=None, freight=price, insurance=price)
    assert run([lodge(huge), answer(), ARRIVED])[0].status is Status.ASSESSED


def test_a_correction_with_another_ucr_is_refused_and_changes_nothing():
    """Its events would go to another partition, and consumers could read them before the earlier ones."""
    rejected, _ = run([BROKEN])
    other = lodge(a_declaration(ucr="6KZ190540000014-0002"), "R-2", function=Function.CORRECTION)
    state, events = run([BROKEN, other])
    assert state == rejected
    assert names(events)[-1] == "SubmissionRefused"
    assert events[-1].receipt_id == "R-2"
    (error,) = events[-1].errors
    assert (error.code, error.pointer, error.value) == ("declaration.ucr.changed", "/ucr", "6KZ190540000014-0002")
    for language in LANGUAGES:
        assert UCR in text(error.code, language, value=error.value, **error.parameters)
    assert run([BROKEN, other, lodge(receipt="R-3")])[0].status is Status.SUBMITTED


def test_a_corrected_version_follows_a_rejected_one_under_the_same_id():
    state, _ = run([BROKEN, lodge(receipt="R-2"), answer(version=2)])
    assert (state.version, state.status, state.receipt_id, state.errors) == (2, Status.PRELODGED, "R-2", ())


def test_an_answer_for_an_older_version_is_out_of_order():
    state, _ = run([BROKEN, lodge(receipt="R-2")])
    with pytest.raises(CommandOutOfOrder, match="version 1"):
        decide(state, answer(version=1), now=NOW, law=LAW)


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (Standing.UNKNOWN, "declaration.party.unknown"),
        (Standing.SUSPENDED, "declaration.party.suspended"),
        (Standing.ROLE_MISSING, "declaration.party.role_missing"),
    ],
)
def test_an_importer_that_may_not_act_rejects(standing, code):
    state, _ = run([lodge(), answer(_1=standing)])
    assert state.status is Status.REJECTED
    assert [(error.code, error.pointer) for error in state.errors] == [(code, "/parties/1/identifier")]


def test_a_party_abroad_need_not_be_registered_but_must_not_be_suspended():
    assert run([lodge(), answer(_2=Standing.UNKNOWN)])[0].status is Status.PRELODGED
    assert run([lodge(), answer(_2=Standing.SUSPENDED)])[0].status is Status.REJECTED


def test_goods_that_arrived_before_the_registry_answered_are_accepted_with_the_answer():
    state, events = run([lodge(), ARRIVED, answer()])
    assert state.status is Status.ASSESSED
    assert names(events).index("Accepted") > names(events).index("Prelodged")


def test_the_legal_date_is_when_both_declaration_and_goods_had_arrived():
    early = note(Kind.ARRIVED, at=NOW - timedelta(days=2))
    assert run([lodge(), early, answer()])[0].accepted_at == NOW


@pytest.mark.parametrize(
    ("lane", "needs"), [(Lane.GREEN, []), (Lane.BLUE, []), (Lane.YELLOW, [DOCUMENTS_OK]), (Lane.RED, [INSPECTED])]
)
def test_each_lane_is_assessed_when_its_control_is_done(lane, needs):
    before: list[Command] = [lodge(declared_for(lane)), answer(), ARRIVED]
    waiting, _ = run(before, law=in_lane(lane))
    assert waiting.routing is not None
    assert waiting.routing.lane is lane
    assert waiting.status is (Status.UNDER_CONTROL if needs else Status.ASSESSED)
    assert run([*before, *needs], law=in_lane(lane))[0].status is Status.ASSESSED


def test_a_red_lane_orders_an_inspection_and_a_discrepancy_prevents_release():
    discrepancy = note(Kind.INSPECTION_COMPLETED, result=InspectionResult.DISCREPANCY, findings="other goods")
    commands: list[Command] = [lodge(declared_for(Lane.RED)), answer(), *RELEASE, discrepancy]
    state, events = run(commands, law=in_lane(Lane.RED))
    assert state.status is Status.UNDER_CONTROL
    assert {"InspectionOrdered", "InspectionCompleted"} <= set(names(events))
    again = note(Kind.INSPECTION_COMPLETED, "again", result=InspectionResult.CONFORM, at=NOW + timedelta(days=1))
    assert run([*commands, again], law=in_lane(Lane.RED))[0].status is Status.RELEASED


def test_a_blue_lane_is_released_and_audited():
    state, _ = run([lodge(declared_for(Lane.BLUE)), answer(), *RELEASE], law=in_lane(Lane.BLUE))
    assert state.status is Status.RELEASED
    assert state.cases == (CaseReason.AUDIT,)


@pytest.mark.parametrize("missing", range(3))
def test_every_term_of_the_guard_is_required(missing):
    commands: list[Command] = [lodge(), answer(), ARRIVED, GATE_IN, paid(TOTAL)]
    hold = note(Kind.HOLD_PLACED, hold="quarantine")
    without = [commands[:3] + commands[4:], commands[:4], [lodge(), answer(), hold, *RELEASE]][missing]
    assert run(without)[0].status is Status.ASSESSED


def test_only_the_agency_that_placed_a_hold_can_lift_it():
    placed = note(Kind.HOLD_PLACED, hold="permit", publisher="agency-a")
    others = note(Kind.HOLD_LIFTED, hold="permit", publisher="agency-b", at=NOW + timedelta(hours=5))
    own = note(Kind.HOLD_LIFTED, "own", hold="permit", publisher="agency-a", at=NOW + timedelta(hours=6))
    held: list[Command] = [lodge(), answer(), placed, *RELEASE, others]
    assert run(held)[0].status is Status.ASSESSED
    state, events = run([*held, own])
    assert state.status is Status.RELEASED
    assert names(events).count("HoldLifted") == 1


def test_a_release_records_the_terms_of_the_guard():
    _, events = run([lodge(), answer(), *RELEASE])
    released = next(event for event in events if isinstance(event, Released))
    assert all(released.guard.values())


def test_a_short_payment_is_published_and_the_balance_releases():
    _, events = run([lodge(), answer(), ARRIVED, GATE_IN, paid("1000"), paid("300", "pay-2")])
    told = [(event.status, str(event.paid.amount)) for event in events if isinstance(event, PaymentRecorded)]
    assert told == [(MoneyStatus.SHORT, "1000"), (MoneyStatus.PAID, "1300")]
    assert names(events)[-1] == "Released"


def test_the_same_payment_confirmed_again_counts_once():
    state, _ = run([lodge(), answer(), ARRIVED, paid("800"), paid("800", "again", payment_reference="pay-1")])
    assert regions(state)[MONEY].paid == Money(Decimal("800"), "CNY")


def test_a_retraction_before_its_target_takes_effect_when_the_target_arrives():
    retraction = note(Kind.GATE_IN, "sorry", retracts=Kind.GATE_IN.value)
    state, events = run([lodge(), answer(), retraction, *RELEASE])
    assert state.status is Status.ASSESSED
    assert "Presented" not in names(events)


def test_a_partner_cannot_retract_anothers_claim():
    foreign = note(Kind.GATE_IN, "sorry", retracts=Kind.GATE_IN.value, publisher="another-port")
    assert run([lodge(), answer(), foreign, *RELEASE])[0].status is Status.RELEASED


def test_a_retraction_before_release_recomputes_the_regions():
    back = note(Kind.PAYMENT_CONFIRMED, "sorry", retracts="pay-1")
    state, events = run([lodge(), answer(), ARRIVED, paid(TOTAL), back, GATE_IN])
    assert state.status is Status.ASSESSED
    assert "PaymentReversed" in names(events)


@pytest.mark.parametrize(
    ("afterwards", "reason"),
    [
        (note(Kind.PAYMENT_CONFIRMED, "sorry", retracts="pay-1"), CaseReason.PAYMENT_REVERSED),
        (note(Kind.GATE_IN, "sorry", retracts=Kind.GATE_IN.value), CaseReason.PRESENTATION_WITHDRAWN),
        (note(Kind.HOLD_PLACED, hold="sanctions"), CaseReason.HOLD_AFTER_RELEASE),
        (note(Kind.DOCUMENTS_REQUESTED, documents=("N380",)), CaseReason.CONTROL_REOPENED),
    ],
)
def test_a_failing_term_after_release_opens_a_case_and_undoes_nothing(afterwards, reason):
    state, events = run([lodge(), answer(), *RELEASE, afterwards])
    assert state.status is Status.RELEASED
    assert [event.reason for event in events if isinstance(event, CaseOpened)] == [reason]


def test_a_gate_out_retracted_after_closing_opens_a_case():
    back = note(Kind.GATE_OUT, "sorry", retracts=Kind.GATE_OUT.value)
    state, _ = run([lodge(), answer(), *RELEASE, GATE_OUT, back])
    assert (state.status, state.cases) == (Status.CLOSED, (CaseReason.DEPARTURE_WITHDRAWN,))


def test_an_assessment_has_its_own_payment_reference_in_all_later_events():
    reference = payment_reference(lodge().declaration_id, 1)
    back = note(Kind.PAYMENT_REVERSED, "back", payment_reference="pay-1", amount=Money(Decimal(100), "CNY"))
    state, events = run([lodge(), answer(), ARRIVED, PassDeadline("payment"), paid("300"), back])
    told = {type(each).__name__: each.payment_reference for each in events if hasattr(each, "paid")}
    assert told == dict.fromkeys(("PaymentOverdue", "PaymentRecorded", "PaymentReversed"), reference)
    assert state.assessment is not None
    assert state.assessment.payment_reference == reference


DOLLARS = note(Kind.PAYMENT_CONFIRMED, "usd", payment_reference="usd", amount=Money(Decimal(TOTAL), "USD"))


@pytest.mark.parametrize("early", [True, False])
def test_a_payment_in_another_currency_is_noted_without_effect_even_if_it_came_before_the_assessment(early):
    before, after = ([DOLLARS], []) if early else ([], [DOLLARS])
    state, events = run([lodge(), answer(), *before, ARRIVED, GATE_IN, *after])
    last = [each for each in events if isinstance(each, PartnerEventNoted) and each.submission_id == "usd"][-1]
    assert last.without_effect is WithoutEffect.PAYMENT_CURRENCY
    assert last.effect_parameters == {"owed": "CNY", "paid": "USD"}
    for language in LANGUAGES:
        shown = text("effect.payment_currency", language, **last.effect_parameters)
        assert "CNY" in shown and "USD" in shown
    assert state.status is Status.ASSESSED
    assert regions(state)[MONEY].paid == Money(Decimal(0), "CNY")


def test_retracting_a_payment_in_another_currency_is_not_itself_such_a_payment():
    back = note(Kind.PAYMENT_CONFIRMED, "sorry", retracts="usd", amount=Money(Decimal(TOTAL), "USD"))
    state, _ = run([lodge(), answer(), ARRIVED, DOLLARS, back])
    assert [each.without_effect for each in state.claims if each.retracts] == [None]


LEFT_EARLY = note(Kind.GATE_OUT, at=NOW - timedelta(hours=1))
"""Before the release, which is at NOW in these tests."""


@pytest.mark.parametrize("before", [[lodge()], [lodge(), answer()], [lodge(), answer(), ARRIVED, GATE_IN]])
def test_goods_that_leave_before_release_open_a_case_at_once_and_change_no_state(before):
    was, _ = run(before)
    state, events = run([*before, LEFT_EARLY])
    assert state.status is was.status
    assert [event.reason for event in events if isinstance(event, CaseOpened)] == [CaseReason.REMOVED_BEFORE_RELEASE]


@pytest.mark.parametrize(
    ("declaration", "departure", "gone"),
    [
        (a_declaration(), LEFT_EARLY, Status.REMOVED),
        (export(), note(Kind.EXIT_CONFIRMED, at=NOW - timedelta(hours=1)), Status.EXITED),
    ],
)
def test_a_declaration_whose_goods_left_before_release_is_not_closed_by_a_later_payment(declaration, departure, gone):
    state, events = run([lodge(declaration), answer(), departure, ARRIVED, GATE_IN, paid(TOTAL)])
    assert (state.status, state.cases) == (gone, (CaseReason.REMOVED_BEFORE_RELEASE,))
    assert "Closed" not in names(events)


def test_a_departure_before_release_that_is_read_later_opens_the_case_too():
    state, _ = run([lodge(), answer(), *RELEASE, LEFT_EARLY])
    assert (state.status, state.cases) == (Status.REMOVED, (CaseReason.REMOVED_BEFORE_RELEASE,))


def test_an_exit_of_an_import_and_a_gate_out_of_an_export_are_not_departures():
    for declaration, other in ((a_declaration(), Kind.EXIT_CONFIRMED), (export(), Kind.GATE_OUT)):
        assert run([lodge(declaration), answer(), note(other, at=NOW - timedelta(hours=1))])[0].cases == ()


def test_a_retracted_departure_and_a_later_one_after_release_close_the_declaration():
    back = note(Kind.GATE_OUT, "sorry", retracts=Kind.GATE_OUT.value)
    later = note(Kind.GATE_OUT, "out-2", at=NOW + timedelta(days=1))
    state, _ = run([lodge(), answer(), LEFT_EARLY, back, *RELEASE, later])
    assert (state.status, state.cases) == (Status.CLOSED, (CaseReason.REMOVED_BEFORE_RELEASE,))


def test_a_case_stays_when_a_new_version_is_lodged():
    refused = answer(_1=Standing.SUSPENDED)
    state, _ = run([lodge(), LEFT_EARLY, refused, lodge(receipt="R-2"), answer(version=2)])
    assert (state.version, state.cases) == (2, (CaseReason.REMOVED_BEFORE_RELEASE,))


def test_an_overdue_payment_is_published_once_with_the_daily_fee():
    state, events = run([lodge(), answer(), ARRIVED, PassDeadline("payment"), GATE_IN, PassDeadline("payment")])
    overdue = [event for event in events if isinstance(event, PaymentOverdue)]
    assert [str(event.daily_fee.amount) for event in overdue] == ["0.65"]
    assert regions(state)[MONEY].overdue


def test_a_payment_on_time_that_is_read_late_withdraws_the_overdue_event():
    punctual = paid(TOTAL, at=NOW + timedelta(days=1))
    state, events = run([lodge(), answer(), ARRIVED, PassDeadline("payment"), punctual])
    assert "PaymentOverdueWithdrawn" in names(events)
    assert not regions(state)[MONEY].overdue


def test_a_late_payment_releases_and_stays_overdue():
    late = paid(TOTAL, at=NOW + timedelta(days=60))
    state, events = run([lodge(), answer(), ARRIVED, GATE_IN, PassDeadline("payment"), late])
    assert state.status is Status.RELEASED
    assert "PaymentOverdueWithdrawn" not in names(events)


def test_a_payment_on_time_is_not_overdue_while_a_hold_prevents_release():
    hold = note(Kind.HOLD_PLACED, hold="permit")
    _, events = run([lodge(), answer(), ARRIVED, hold, paid(TOTAL), PassDeadline("payment")])
    assert names(events)[-1] == "PaymentDeadlinePassed"


REPORTS = (
    GATE_IN,
    GATE_OUT,
    paid("1000"),
    paid("300", "pay-2"),
    note(Kind.HOLD_PLACED, hold="permit"),
    note(Kind.HOLD_LIFTED, hold="permit", at=NOW + timedelta(hours=5)),
    note(Kind.DOCUMENTS_REQUESTED, documents=("N380",)),
    DOCUMENTS_OK,
    INSPECTED,
    paid("50", "pay-3"),
    note(Kind.PAYMENT_CONFIRMED, "sorry", retracts="pay-3"),
    note(Kind.DEPARTED, at=NOW - timedelta(days=3)),
)


@settings(max_examples=150, deadline=None)
@given(order=st.permutations((ARRIVED, *REPORTS)), lane=st.sampled_from(list(Lane)), early=st.integers(0, 13))
def test_partner_events_in_any_order_end_in_the_same_state(order, lane, early):
    """All events come before release; a hold is placed before the payment is complete, so no order releases early.

    The gate-out is one of them, so the goods left without release in every order, and the declaration is not closed.
    """
    before_release = sorted(order, key=lambda each: each is REPORTS[3])
    lodged = lodge(declared_for(lane))
    commands = [lodged, *before_release[:early], answer(), *before_release[early:]]
    state, _ = run(commands, law=in_lane(lane))
    straight, _ = run([lodged, answer(), ARRIVED, *REPORTS[:3], *REPORTS[4:], REPORTS[3]], law=in_lane(lane))
    assert replace(state, accepted_at=None, cases=()) == replace(straight, accepted_at=None, cases=())
    assert state.status is Status.REMOVED
    assert CaseReason.REMOVED_BEFORE_RELEASE in state.cases
