"""Spans are recorded up to a rate limit; a trace is recorded as a whole or not at all, and keeps its id either way."""

from collections.abc import Mapping

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from chassis.telemetry import input_spans as steps
from chassis.telemetry import span_provider, trace_headers, tracing
from chassis.telemetry.sampling import AT_ONCE, Budget, from_outside
from chassis.testing import ManualClock

SAMPLED = {"traceparent": f"00-{7:032x}-{9:016x}-01"}
NOT_SAMPLED = {"traceparent": f"00-{7:032x}-{9:016x}-00"}


class Around:
    """A process with a limit of one trace per second, and its recorded spans."""

    def __init__(self, provider: TracerProvider, kept: InMemorySpanExporter, clock: ManualClock) -> None:
        self.provider, self.kept, self.clock = provider, kept, clock

    def full(self) -> None:
        for _ in range(AT_ONCE):
            with tracing.process_span("work", {}):
                pass
        self.provider.force_flush()
        self.kept.clear()

    @property
    def recorded(self) -> list[str]:
        self.provider.force_flush()
        return [span.name for span in self.kept.get_finished_spans()]


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Around:
    clock, kept = ManualClock(), InMemorySpanExporter()
    provider = span_provider.make_provider(Resource.create({}), [kept], Budget(1.0, clock))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return Around(provider, kept, clock)


def consume(headers: Mapping[str, str]) -> Mapping[str, str]:
    """One input and its event; returns the headers that the event is sent with."""
    with steps.begin("process t", headers, known={}) as step:
        decided = step.headers
    span, sent = tracing.begin_send("t", decided, "E-1", cause=headers)
    if span is not None:
        span.end()
    return sent


async def test_traces_that_begin_are_recorded_while_there_is_room(around: Around) -> None:
    around.full()
    with tracing.process_span("too many", {}):
        assert trace_headers.current_trace_id() != ""
    assert around.recorded == []
    await around.clock.advance(seconds=1)
    with tracing.process_span("room again", {}), tracing.process_span("inner", {}):
        pass
    assert around.recorded == ["inner", "room again"]


def test_what_follows_of_a_recorded_trace_is_recorded_however_full_it_is(around: Around) -> None:
    around.full()
    sent = consume(SAMPLED)
    assert around.recorded == ["process t", "send t"]
    assert sent["traceparent"].endswith("-01")


def test_what_follows_of_an_unrecorded_trace_is_not_and_keeps_the_traces_id(around: Around) -> None:
    sent = consume(NOT_SAMPLED)
    assert around.recorded == []
    assert trace_headers.trace_id(sent) == f"{7:032x}"
    assert sent["traceparent"].endswith("-00")
    assert sent["traceparent"] != NOT_SAMPLED["traceparent"]


@pytest.mark.parametrize("said", [SAMPLED, NOT_SAMPLED])
def test_no_outsider_decides_what_is_recorded(around: Around, said: Mapping[str, str]) -> None:
    assert tracing.outsiders(said)["traceparent"].endswith("-01")
    tracer = trace.get_tracer_provider().get_tracer("door")
    tracer.start_span("request", from_outside(trace_headers.extract(said)), SpanKind.SERVER).end()
    assert around.recorded == ["request"]
    around.full()
    assert tracing.outsiders(said)["traceparent"] == NOT_SAMPLED["traceparent"]
    tracer.start_span("request", from_outside(trace_headers.extract(said)), SpanKind.SERVER).end()
    assert around.recorded == []


def test_a_process_that_exports_nothing_carries_the_flag_on(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = span_provider.UnheardProvider(resource=Resource.create({}))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    assert consume(SAMPLED)["traceparent"].endswith("-01")
    assert consume(NOT_SAMPLED)["traceparent"].endswith("-00")
    with tracing.process_span("work", NOT_SAMPLED):
        assert trace_headers.inject()["traceparent"].endswith("-00")
    assert tracing.outsiders(SAMPLED) == SAMPLED
