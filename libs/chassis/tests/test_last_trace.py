"""An aggregate's own step is linked to the previous input, even if that history line was moved."""

from typing import Any

import pytest
from tallies import TALLY

from chassis.aggregates.document import read

CHANGED = {"cause": "c-1", "hash": "", "events": ["A/0.1"], "trace": {"traceparent": "changed"}}
REMEMBERED = {"cause": "c-2", "hash": "", "events": [], "trace": {"traceparent": "remembered"}}
UNTRACED = {"cause": "c-3", "hash": "", "events": ["A/0.2"], "trace": {}}


@pytest.mark.parametrize(
    ("history", "wanted"),
    [
        ([], None),
        ([CHANGED, REMEMBERED, UNTRACED], "changed"),
        ([REMEMBERED, {**REMEMBERED, "trace": {"traceparent": "later"}}], "later"),
        ([UNTRACED], None),
    ],
    ids=["none", "of the latest that changed something", "of the latest at all", "none was kept"],
)
def test_the_trace_that_a_step_of_its_own_is_linked_to(history: list[dict[str, Any]], wanted: str | None) -> None:
    document = {"schema": 1, "version": 1, "seq": 1, "state": None, "history": history, "outbox": []}
    assert read(TALLY, "A", document).last_trace.get("traceparent") == wanted
