"""The view of a shipment, shared by the JSON answer, the page and the command line."""

from collections.abc import Sequence
from typing import Any

from tracking.coverage import TopicCoverage
from tracking.domain.situation import situations
from tracking.domain.timeline import Step
from tracking.parked import Parked
from tracking.views.currency import coverage_view, held_unknown_view, held_view, of_shipment, stale_view
from tracking.views.reader import Reader, View
from tracking.views.sections import duties_view, matches_view, notices_view
from tracking.views.situation import situation_view
from tracking.views.steps import steps_view

__all__ = ["Reader", "View", "front_view", "shipment_view"]


def shipment_view(
    thread: str,
    steps: Sequence[Step],
    spans: Sequence[dict[str, Any]],
    coverage: Sequence[TopicCoverage],
    parked: Parked,
    reader: Reader,
) -> View:
    """Everything known about a thread, most urgent first."""
    held = of_shipment(parked.held, thread, steps)
    return {
        "ucr": thread,
        "language": reader.language,
        "known": bool(steps),
        "stale": stale_view(coverage, parked, reader),
        "held": [held_view(each, steps, reader) for each in held],
        "held_unknown": held_unknown_view(parked, reader),
        "situations": [situation_view(each, reader) for each in situations(steps, held)],
        "steps": steps_view(steps, {str(span.get("trace_id")) for span in spans}, reader),
        "duties": duties_view(steps, reader),
        "notices": notices_view(steps, reader),
        "matches": matches_view(steps, reader),
        "spans": list(spans),
        "coverage": coverage_view(coverage, steps, reader),
    }


def front_view(coverage: Sequence[TopicCoverage], parked: Parked, reader: Reader) -> View:
    """The view without a shipment: only how far the topics are read."""
    return {
        "stale": stale_view(coverage, parked, reader),
        "held_unknown": held_unknown_view(parked, reader),
        "coverage": coverage_view(coverage, (), reader),
    }
