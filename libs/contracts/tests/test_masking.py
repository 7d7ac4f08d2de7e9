"""Fields marked as personal data are not shown to people."""

from contracts.events import event_types
from contracts.masking import MASK, masked_event

INSPECTED = "trade.partners.control.inspection_completed.v1"
SUBMITTED = "trade.gateway.declaration.submitted.v1"


def test_a_marked_field_is_masked_and_its_neighbours_stay() -> None:
    shown = masked_event(INSPECTED, {"result": "conform", "findings": "opened by Li Wei", "of_tomorrow": 1})
    assert shown == {"result": "conform", "findings": MASK, "of_tomorrow": 1}


def test_a_field_deep_in_lists_is_masked() -> None:
    papers = [{"type": "N935", "issuer": "Li Wei"}, {"type": "N380"}]
    shown = masked_event(SUBMITTED, {"declaration": {"lrn": "1", "goods": [{"number": 1, "documents": papers}]}})
    assert shown["declaration"]["goods"][0]["documents"] == [{"type": "N935", "issuer": MASK}, {"type": "N380"}]


def test_an_unknown_type_and_an_absent_value_are_left_alone() -> None:
    assert masked_event("trade.x.y.z.v1", {"findings": "a"}) == {"findings": "a"}
    assert masked_event(INSPECTED, {"findings": None}) == {"findings": None}


def test_free_text_of_people_is_marked_wherever_it_is_published() -> None:
    marked = {"findings", "issuer", "means"}
    for event in event_types().values():
        for name in marked & set(event.payload.model_fields):
            extra = event.payload.model_fields[name].json_schema_extra
            assert isinstance(extra, dict), f"{event.name} {name}"
            assert extra["x-personal-data"], f"{event.name} {name}"
