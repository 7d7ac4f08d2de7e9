"""Chooses the lane, and assesses duties as soon as control is done."""

from collections.abc import Sequence
from datetime import datetime

from declarations.domain import settling, size_limits
from declarations.domain.assessment import duty, risk
from declarations.domain.events import Assessed, CaseOpened, Event, Routed
from declarations.domain.evolve import noted
from declarations.domain.law import Law
from declarations.domain.regions import CONTROL, Regions
from declarations.domain.rules.header import check_values
from declarations.domain.state import CaseReason, State
from values.payments import payment_reference


def route(state: State, _seen: Regions, now: datetime, law: Law) -> Sequence[Event]:
    looked_at = risk.inputs(state.declaration, law.calendar.day(state.accepted_at or now))
    routing = risk.route(looked_at, risk.seed(state.id), law.risk)
    return [Routed(routing.lane, routing.score, routing.hits, routing.inputs, routing.seed, now)]


def assess_when_control_is_done(state: State, seen: Regions, now: datetime, law: Law) -> Sequence[Event]:
    if not seen[CONTROL].done:
        return ()
    accepted_at = state.accepted_at or now
    if check_values(state.declaration, accepted_at, law):
        # Accepted under rules or rates that are no longer available: staff must act, no value is taken as zero.
        known = CaseReason.VALUE_UNKNOWN in state.cases
        return () if known else [CaseOpened(CaseReason.VALUE_UNKNOWN, now)]
    lines, total = duty.assess(state.declaration, accepted_at, law.tariff, law.exchange)
    pay_by = law.payment.ends(now) if total.amount else None
    reference = payment_reference(state.id, state.version)
    assessed = Assessed(size_limits.lines(lines), total, law.tariff.name, now, pay_by, reference)
    return [assessed, *(noted(each) for each in settling.in_other_currency(state.claims, total.currency))]
