"""The timeline depends only on the events, not on their order of arrival."""

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracking.domain.entry import Entry, Term
from tracking.domain.timeline import belongs, references, timeline

EntryMaker = Callable[..., Entry]


@pytest.fixture
def story(an_entry: EntryMaker) -> list[Entry]:
    """A shipment with a causal chain whose clocks disagree, a repeat and a conflict."""
    lodged = an_entry("gateway.declaration.submitted", id="R-1/0.1", topic="gateway.events.v1", subject="R-1", minute=5)
    submitted = an_entry(seq=1, cause="R-1/0.1", minute=1)
    accepted = an_entry("declarations.declaration.accepted", seq=2, cause="P-1", minute=1)
    routed = an_entry("declarations.declaration.routed", seq=3, minute=0)
    again = an_entry("declarations.declaration.accepted", seq=2, cause="P-1", minute=1)
    other = an_entry("declarations.declaration.accepted", seq=2, cause="P-1", minute=1, number="2")
    return [lodged, submitted, accepted, routed, again, other]


def test_a_cause_comes_before_its_effect_and_a_sequence_is_in_order(story: list[Entry]) -> None:
    ids = [step.entry.id for step in timeline(story)]
    assert ids == ["R-1/0.1", "D-1/0.1", "D-1/0.2", "D-1/0.3"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(seed=st.integers(), repeats=st.integers(1, 3))
def test_any_order_and_any_repeats_give_the_same_timeline(story: list[Entry], seed: int, repeats: int) -> None:
    shuffled = story * repeats
    random.Random(seed).shuffle(shuffled)
    assert timeline(shuffled) == timeline(story)


def test_the_same_id_with_other_content_is_shown_as_a_conflict(story: list[Entry]) -> None:
    accepted = next(step for step in timeline(story) if step.entry.id == "D-1/0.2")
    assert [each.facts.get("number") for each in accepted.conflicts] == ["2"]
    assert accepted.entry.facts.get("number") is None


def test_events_in_a_causal_cycle_are_still_shown(an_entry: EntryMaker) -> None:
    circle = [an_entry(id="a", cause="b"), an_entry(id="b", cause="a"), an_entry(id="c", cause="c")]
    assert {step.entry.id for step in timeline(circle)} == {"a", "b", "c"}


def test_a_retraction_is_shown_at_the_event_it_takes_back(an_entry: EntryMaker) -> None:
    said = an_entry("partners.shipment.gate_in", id="p1", publisher="port-qd", submission_id="77")
    taken_back = an_entry("partners.shipment.gate_in", id="p2", publisher="port-qd", submission_id="78", retracts="77")
    elsewhere = an_entry("partners.shipment.gate_in", id="p3", publisher="port-sh", submission_id="77")
    marks = {step.entry.id: step.retracted_by for step in timeline([taken_back, elsewhere, said])}
    assert marks == {"p1": "p2", "p2": "", "p3": ""}


def test_a_partner_event_without_ucr_is_found_by_declaration_number_else_container_and_document(
    an_entry: EntryMaker,
) -> None:
    own = references([an_entry(declaration_number="531620261234567890"), an_entry(container="CSQU3054383")])
    own |= references([an_entry(transport_document="BL1")]) | own

    def stranger(**refs: str) -> Entry:
        return an_entry("partners.shipment.arrived", id="p9", ucr="", references=refs)

    assert belongs(stranger(declaration_number="531620261234567890"), own, frozenset())
    assert not belongs(stranger(declaration_number="1", container="CSQU3054383"), own, frozenset())
    assert not belongs(stranger(container="CSQU3054383"), own, frozenset())
    assert belongs(stranger(container="CSQU3054383", transport_document="BL1"), own, frozenset())
    assert belongs(stranger(), own, frozenset({"p9"}))
    assert Term.CONTAINER in own


def test_a_bank_s_event_belongs_only_by_a_payment_of_the_same_bank(an_entry: EntryMaker) -> None:
    noted = an_entry("declarations.declaration.partner_event_noted", publisher="bank-qd", payment_reference="2026 a1")
    own = references([noted, an_entry("declarations.declaration.assessed", payment_reference="RF18 0000-20261")])

    def told(bank: str, reference: str, **refs: str) -> bool:
        fields = {"publisher": bank, "payment_reference": reference, "references": refs}
        return belongs(an_entry("partners.payment.reversed", id="p9", ucr="", **fields), own, frozenset())

    assert told("bank-qd", "2026A1")
    assert not told("bank-sh", "2026A1")
    assert not told("bank-qd", "2026-A1")
    assert not told("bank-sh", "RF18000020261")
    assert told("bank-sh", "9", payment_reference="rf18 000020261")


@pytest.mark.parametrize("name", ["payment_reference", "declaration_number"])
def test_one_transfer_for_two_shipments_is_shown_at_the_one_that_each_event_names(
    an_entry: EntryMaker, name: str
) -> None:
    own = references([an_entry(publisher="bank-qd", bank_reference="B-1"), an_entry(**{name: "RF01"})])
    fields = {"publisher": "bank-qd", "payment_reference": "B-1"}
    events = [an_entry(ucr="", references={name: said}, **fields) for said in ("RF01", "RF02")]
    assert [belongs(each, own, frozenset()) for each in events] == [True, False]
