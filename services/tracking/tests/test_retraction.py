"""A retraction marks the partner's row and the row that noted it, only for the partner's own source."""

from collections.abc import Callable

from tracking.domain.entry import Entry
from tracking.domain.timeline import timeline

EntryMaker = Callable[..., Entry]
NOTED = "declarations.declaration.partner_event_noted"


def _marks(*entries: Entry) -> dict[str, str]:
    return {step.entry.id: step.retracted_by for step in timeline(entries)}


def test_a_retraction_marks_the_partner_s_row_and_the_row_that_noted_it(an_entry: EntryMaker) -> None:
    wrong = {"publisher": "port-qd", "submission_id": "p1"}
    right = {"publisher": "port-qd", "submission_id": "p2", "retracts": "p1"}
    said = an_entry("partners.shipment.gate_in", id="PE-1", **wrong)
    noted = an_entry(NOTED, id="D-1/0.3", seq=3, cause="PE-1", event_id="PE-1", **wrong)
    taken_back = an_entry("partners.shipment.gate_in", id="PE-2", **right)
    noted_back = an_entry(NOTED, id="D-1/0.4", seq=4, cause="PE-2", event_id="PE-2", **right)
    for order in ([said, noted, taken_back, noted_back], [noted_back, taken_back, noted, said]):
        assert _marks(*order) == {"PE-1": "PE-2", "D-1/0.3": "PE-2", "PE-2": "", "D-1/0.4": ""}


def test_a_retraction_does_not_mark_the_same_id_of_another_source(an_entry: EntryMaker) -> None:
    def event(id_: str, source: str, **payload: str) -> Entry:
        said = {"publisher": "port-qd", "submission_source": source, **payload}
        return an_entry("partners.shipment.gate_in", id=id_, **said)

    a, b = event("PE-1", "/gate-a", submission_id="p1"), event("PE-2", "/gate-b", submission_id="p1")
    back = event("PE-3", "/gate-b", submission_id="p2", retracts="p1")
    assert _marks(a, b, back) == {"PE-1": "", "PE-2": "PE-3", "PE-3": ""}
    named = event("PE-4", "/gate-b", submission_id="p3", retracts="p1", retracts_source="/gate-a")
    assert _marks(a, b, named) == {"PE-1": "PE-4", "PE-2": "", "PE-4": ""}


def test_an_event_without_a_source_is_identified_by_publisher_and_id(an_entry: EntryMaker) -> None:
    old = an_entry("partners.shipment.gate_in", id="PE-1", publisher="port-qd", submission_id="p1")
    new = {"publisher": "port-qd", "submission_source": "/gate-a", "submission_id": "p2", "retracts": "p1"}
    assert _marks(old, an_entry("partners.shipment.gate_in", id="PE-2", **new))["PE-1"] == "PE-2"


def test_a_retraction_noted_without_effect_marks_nothing(an_entry: EntryMaker) -> None:
    said = an_entry("partners.shipment.gate_in", id="PE-1", publisher="port-qd", submission_id="p1")
    right = {"publisher": "port-qd", "submission_id": "p2", "retracts": "p1"}
    back = an_entry("partners.shipment.gate_in", id="PE-2", **right)
    void = {"event_id": "PE-2", "without_effect": "not_concerned", **right}
    noted = an_entry(NOTED, id="D-1/0.4", seq=4, cause="PE-2", **void)
    assert _marks(said, back, noted)["PE-1"] == ""
    anew = an_entry(NOTED, id="D-1/0.6", seq=6, cause="D-1/0.5", event_id="PE-2", **right)
    assert _marks(said, back, noted, anew)["PE-1"] == "PE-2"
