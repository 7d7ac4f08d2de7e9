"""Every decided case is counted by reason, so that goods that left without release raise an alert."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from services.declarations.tests.declaration_builders import LAW, NOW, lodge, note, run

from declarations.aggregate import declaration_type
from declarations.domain.claims import Kind
from declarations.domain.state import CaseReason


def counted(reason: CaseReason) -> float | None:
    return REGISTRY.get_sample_value("trade_cases_opened_total", {"reason": reason})


@pytest.mark.parametrize("reason", CaseReason)
def test_every_reason_has_a_counter_before_its_first_case(reason: CaseReason) -> None:
    assert counted(reason) is not None


def test_goods_that_leave_before_release_are_counted_once() -> None:
    before = {reason: counted(reason) or 0.0 for reason in CaseReason}
    state, _ = run([lodge()])
    left = note(Kind.GATE_OUT, at=NOW - timedelta(hours=1))
    declaration_type(LAW).decide(state, left, NOW)
    told = {reason: (counted(reason) or 0.0) - before[reason] for reason in CaseReason}
    assert told == {reason: float(reason is CaseReason.REMOVED_BEFORE_RELEASE) for reason in CaseReason}
