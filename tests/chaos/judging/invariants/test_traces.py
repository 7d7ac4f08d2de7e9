"""The checker detects causes without an origin and traces that lead nowhere (9)."""

from dataclasses import replace

import pytest
from chaos.judging.handmade import WorldMaker, line, trace
from chaos.judging.invariants.traces import traces

from contracts.topics import DECLARATIONS, GATEWAY

pytestmark = pytest.mark.serverless


def _answered(scene: WorldMaker, number: int = 2) -> str:
    """A declaration that was lodged in trace 1, and the registry's answer to it, sent by span 2/7."""
    lodged = scene.say(GATEWAY.name, "trade.gateway.declaration.submitted.v1", "R-1", {})
    type_ = "trade.declarations.declaration"
    first = scene.say(DECLARATIONS.name, f"{type_}.submitted.v1", "D-1", {}, causationid=lodged)
    answer = {"causationid": "D-1/registry/1", "trace": trace(number, 7)}
    second = scene.say(DECLARATIONS.name, f"{type_}.prelodged.v1", "D-1", {}, **answer)
    lines = line(lodged, first), line("D-1/registry/1", second, number=number)
    scene.store("declarations", "declarations", "D-1", {}, *lines)
    scene.store("gateway", "firm_receipts", "R-1", {}, line("door", lodged))
    return second


def _span(number: int, span: int) -> str:
    return f"{number:032x}/{span:016x}"


def test_a_trace_that_leads_to_no_earlier_one_is_seen() -> None:
    scene = WorldMaker()
    answer = _answered(scene)
    linked = {_span(2, 7): [_span(2, 6), _span(1, 1)]}
    assert traces(scene.world(spans=linked)).faults == []
    unlinked = {_span(2, 7): [_span(2, 6)]}
    assert traces(scene.world(spans=unlinked)).faults == [f"9: the trace of {answer} leads to no earlier one of D-1"]


def test_a_span_that_was_not_exported_is_no_fault_unless_none_was() -> None:
    scene = WorldMaker()
    answer = _answered(scene)
    again = {"causationid": "D-1/registry/2", "trace": trace(3, 8)}
    last = scene.say(DECLARATIONS.name, "trade.declarations.declaration.accepted.v1", "D-1", {}, **again)
    known = scene.stored["D-1"]
    scene.stored["D-1"] = replace(known, seq=3, lines=[*known.lines, line("D-1/registry/2", last, number=3)])
    assert answer != last
    assert traces(scene.world(spans={_span(3, 8): [_span(2, 7)]})).faults == []
    assert traces(scene.world(spans={})).faults == [
        "9: of 2 events in traces of their own, no span says what they came of"
    ]
    assert traces(scene.world(spans=None)).faults == []


def test_an_event_outside_the_trace_of_its_cause_is_seen() -> None:
    scene = WorldMaker()
    lodged = scene.say(GATEWAY.name, "trade.gateway.declaration.submitted.v1", "R-1", {})
    event = scene.say(
        DECLARATIONS.name,
        "trade.declarations.declaration.submitted.v1",
        "D-1",
        {},
        causationid=lodged,
        trace=trace(2),
    )
    assert traces(scene.world()).faults == [f"9: {event} is not in the trace of its cause {lodged}"]


def test_a_cause_that_nobody_said_is_seen() -> None:
    scene = WorldMaker()
    event = scene.say(
        DECLARATIONS.name, "trade.declarations.declaration.submitted.v1", "D-1", {}, causationid="R-9/0.1"
    )
    assert traces(scene.world()).faults == [f"9: the cause of {event}, R-9/0.1, is nothing that anybody said"]
