"""The process's span provider: annotates every span, and exports spans.

Baggage entries that begin with `trade.` (the UCR, the declaration's id) are copied onto every span, so that all spans
of a shipment can be found by them.
"""

from collections.abc import Sequence

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import Sampler

from chassis.telemetry.sampling import Budget
from chassis.telemetry.trace_headers import PROPAGATOR, shown_entries


class BaggageOnSpans(SpanProcessor):
    """Copies `trade.*` baggage onto every span as it starts."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if entries := shown_entries(parent_context):
            span.set_attributes(entries)

    def on_end(self, span: ReadableSpan) -> None: ...

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - nothing is buffered here
        return True


class UnheardProvider(TracerProvider):
    """While no exporter is set, it creates only span contexts and propagates them, at a tenth of the cost."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource=resource, shutdown_on_exit=False)
        super().add_span_processor(BaggageOnSpans())
        self.heard = False

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        super().add_span_processor(span_processor)
        self.heard = True


def configure(
    service: str, build: str, instance: str, endpoint: str = "", traces_per_second: float = 5.0
) -> TracerProvider:
    """Set up the process's tracing; without an endpoint, contexts are propagated and no spans are exported."""
    resource = Resource.create({"service.name": service, "service.version": build, "service.instance.id": instance})
    exporters = [OTLPSpanExporter(endpoint=endpoint, insecure=True, timeout=5)] if endpoint else []
    sampler = Budget(traces_per_second)
    provider = make_provider(resource, exporters, sampler) if exporters else UnheardProvider(resource=resource)
    trace.set_tracer_provider(provider)
    propagate.set_global_textmap(PROPAGATOR)
    return provider


def make_provider(
    resource: Resource, exporters: Sequence[SpanExporter], sampler: Sampler | None = None
) -> TracerProvider:
    """A provider that annotates spans with baggage and exports them in small batches."""
    provider = TracerProvider(sampler, resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BaggageOnSpans())
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500, max_queue_size=8192))
    return provider


def unheard() -> UnheardProvider | None:
    """The process's span provider if it has no exporter, otherwise None."""
    provider = trace.get_tracer_provider()
    return provider if isinstance(provider, UnheardProvider) and not provider.heard else None
