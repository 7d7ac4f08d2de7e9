"""A trace continues whether its spans are exported or not."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis.telemetry import span_provider, trace_headers, tracing

CAUSE = {"traceparent": f"00-{7:032x}-{9:016x}-01", "baggage": "trade.ucr=6CN1%2F2"}


@pytest.fixture(params=["heard", "unheard"])
def provider(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TracerProvider]:
    resource = Resource.create({})
    heard = request.param == "heard"
    made = (
        span_provider.make_provider(resource, [InMemorySpanExporter()])
        if heard
        else span_provider.UnheardProvider(resource=resource)
    )
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: made)
    yield made
    made.shutdown()


def test_what_is_sent_on_continues_the_trace_under_a_span_of_its_own(provider: TracerProvider) -> None:
    with tracing.process_span("process x", CAUSE, baggage={"trade.declaration.id": "D-1"}):
        sent = trace_headers.inject()
    assert trace_headers.trace_id(sent) == f"{7:032x}"
    assert sent["traceparent"].endswith("-01")
    assert sent["traceparent"] != CAUSE["traceparent"]
    assert sent["baggage"] == "trade.ucr=6CN1%2F2,trade.declaration.id=D-1"
    assert trace_headers.inject() == {}


def test_without_a_cause_a_trace_begins(provider: TracerProvider) -> None:
    with tracing.process_span("work", {}):
        first = trace_headers.current_trace_id()
        _, sent = tracing.begin_send("t", trace_headers.inject(), "E-1", cause={})
        assert trace_headers.trace_id(sent) == first
    with tracing.process_span("work", {}):
        assert trace_headers.current_trace_id() not in ("", first)


def test_an_error_passes_and_leaves_nothing_current(provider: TracerProvider) -> None:
    with pytest.raises(ValueError, match="broken"), tracing.process_span("work", CAUSE):
        raise ValueError("broken")
    assert trace_headers.current_trace_id() == ""


def test_a_span_carries_its_links_its_baggage_and_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = InMemorySpanExporter()
    provider = span_provider.make_provider(Resource.create({}), [kept])
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    earlier = {"traceparent": f"00-{1:032x}-{2:016x}-01"}
    with pytest.raises(ValueError, match="broken"), tracing.process_span("work", CAUSE, links=[earlier, {}]):
        raise ValueError("broken")
    provider.force_flush()
    (span,) = kept.get_finished_spans()
    assert span.parent is not None
    assert (span.parent.span_id, [link.context.span_id for link in span.links]) == (9, [2])
    assert span.attributes is not None
    assert span.attributes["trade.ucr"] == "6CN1/2"
    assert (span.status.description, span.events[0].name) == ("ValueError: broken", "exception")
    provider.shutdown()


@pytest.mark.parametrize(
    "traceparent",
    [
        f"00-{7:032x}-{9:016x}-01",
        f"00-{7:032x}-{9:016x}-00",
        f"00-{7:032x}-{9:016x}-01-more",
        f"01-{7:032x}-{9:016x}-01-more",
        f"ff-{7:032x}-{9:016x}-01",
        f"00-{0:032x}-{9:016x}-01",
        f"00-{7:032x}-{0:016x}-01",
        f"00-{'G' * 32}-{9:016x}-01",
        f"00-{'A' * 32}-{9:016x}-01",
        f" 00-{7:032x}-{9:016x}-01 ",
        f"00-{7:032x}-{9:016x}-01\n",
        "00-7-9-01",
        "",
    ],
)
@pytest.mark.parametrize("tracestate", ["", "vendor=1"])
def test_a_header_is_read_as_the_tracing_library_reads_it(traceparent: str, tracestate: str) -> None:
    headers = {"traceparent": traceparent, "tracestate": tracestate}
    expected = trace.get_current_span(TraceContextTextMapPropagator().extract(headers, Context())).get_span_context()
    found = trace.get_current_span(trace_headers.extract(headers)).get_span_context()
    assert found == expected
