"""The OTLP receiver: accepts spans without making an exporter wait for the database.

Exports are queued and written in the background, in large batches. The slower the database, the longer the pause before
the next write, so that spans take a small share of its time. If the queue is full, spans are dropped and counted: they
help to explain, and the timeline does not depend on them. So an export never fails and never waits. OTLP exporters have
no token, so the port is not authenticated: keep it internal (loopback, or the cluster's network policy).
"""

import asyncio
from typing import Any, Protocol

import grpc
import structlog
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from chassis.clock import Clock
from chassis.rpc import counted
from chassis.settings import ListenSettings
from tracking import metrics
from tracking.spans import KeptSpan, read_spans

DOOR = "otlp"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MAX_QUEUED = 10_000
MAX_EXPORT_BYTES = 4 * 1024 * 1024
BATCH = 500
GATHER_SECONDS = 1.0
"""Maximum time in which a batch is collected; a full batch is written earlier."""
SHARE = 0.1
"""Share of the time that writes of spans may take: after a write of 0.2 s, the next waits 1.8 s."""
LONGEST_REST_SECONDS = 30.0
CLEAN_SECONDS = 300.0

log = structlog.get_logger(__name__)


class Store(Protocol):
    """Port to the span store."""

    async def add(self, spans: "list[KeptSpan]") -> int: ...

    async def remove_expired(self) -> int: ...


class TraceReceiver(trace_service_pb2_grpc.TraceServiceServicer):
    """`opentelemetry.proto.collector.trace.v1.TraceService`."""

    def __init__(self, store: Store, clock: Clock, listen: ListenSettings) -> None:
        self._store = store
        self._clock = clock
        self._listen = listen
        self._queue: asyncio.Queue[KeptSpan] = asyncio.Queue(MAX_QUEUED)
        self.port = 0
        """The listening port, once started."""

    async def Export(  # noqa: N802 - the name in OTLP
        self,
        request: ExportTraceServiceRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> ExportTraceServiceResponse:
        """Queue the spans with a UCR; the answer gives the number of dropped spans."""
        with counted(DOOR, EXPORT, context):
            dropped = self._queued(request)
        if not dropped:
            return ExportTraceServiceResponse()
        metrics.SPANS.labels("dropped").inc(dropped)
        partial = ExportTracePartialSuccess(rejected_spans=dropped, error_message="the span queue is full")
        return ExportTraceServiceResponse(partial_success=partial)

    def _queued(self, request: ExportTraceServiceRequest) -> int:
        """Queue spans while there is room; returns the number of dropped spans."""
        dropped = 0
        for span in read_spans(request):
            if span is None:
                metrics.SPANS.labels("not_addressed").inc()
                continue
            try:
                self._queue.put_nowait(span)
            except asyncio.QueueFull:
                dropped += 1
        return dropped

    async def serve(self) -> None:
        """Listen until cancelled."""
        options = [("grpc.max_receive_message_length", MAX_EXPORT_BYTES), ("grpc.so_reuseport", 0)]
        server = grpc.aio.server(options=options)
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        self.port = server.add_insecure_port(f"{self._listen.host}:{self._listen.port}")
        await server.start()
        try:
            await server.wait_for_termination()
        finally:
            await server.stop(1)

    async def write(self) -> None:
        """Write queued spans until cancelled; spans that the database refuses are dropped and counted."""
        while True:
            batch = await self._next_batch()
            begun = self._clock.monotonic()
            try:
                await self._store.add(batch)
            except Exception:
                metrics.SPANS.labels("dropped").inc(len(batch))
                raise
            took = self._clock.monotonic() - begun
            await self._clock.sleep(min(took * (1 / SHARE - 1), LONGEST_REST_SECONDS))

    async def _next_batch(self) -> list[KeptSpan]:
        """The next batch: the spans of `GATHER_SECONDS`, up to the batch size."""
        batch = [await self._queue.get()]
        if self._queue.qsize() < BATCH - 1:
            await self._clock.sleep(GATHER_SECONDS)
        while len(batch) < BATCH and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    async def clean(self) -> None:
        """Delete expired spans periodically."""
        while True:
            removed = await self._store.remove_expired()
            if removed:
                log.info("spans_expired", removed=removed)
            await self._clock.sleep(CLEAN_SECONDS)
