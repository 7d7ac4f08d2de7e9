"""The OTLP door: takes spans in, and never makes an exporter wait for the database.

Exports are queued and written behind, many at once and seldom: the slower the database answers, the longer the next
write waits, so that spans take a small share of its time whatever else it does. Where the queue is full they are
dropped and counted: spans help to explain, the timeline never rests on them. So nothing is turned away
here, and nothing waits. The port has no token, as OTLP exporters have none; it listens inside (loopback, or the
cluster's network policy).
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
"""How long the first span of a batch waits for others, unless the batch is full before."""
SHARE = 0.1
"""Of the time in which a write of spans may be under way: after one that took 0.2 s the next waits 1.8 s."""
LONGEST_REST_SECONDS = 30.0
CLEAN_SECONDS = 300.0

log = structlog.get_logger(__name__)


class Store(Protocol):
    """Where spans are kept."""

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
        """Where it listens, once started."""

    async def Export(  # noqa: N802 - the name in OTLP
        self,
        request: ExportTraceServiceRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> ExportTraceServiceResponse:
        """Queue the spans that carry a UCR; the answer says how many had no room."""
        with counted(DOOR, EXPORT, context):
            dropped = self._queued(request)
        if not dropped:
            return ExportTraceServiceResponse()
        metrics.SPANS.labels("dropped").inc(dropped)
        partial = ExportTracePartialSuccess(rejected_spans=dropped, error_message="the span queue is full")
        return ExportTraceServiceResponse(partial_success=partial)

    def _queued(self, request: ExportTraceServiceRequest) -> int:
        """Queue what has room; returns how many spans had none."""
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
        """Write queued spans for ever; what the database refuses or cannot take is dropped and counted."""
        while True:
            batch = await self._gathered()
            begun = self._clock.monotonic()
            try:
                await self._store.add(batch)
            except Exception:
                metrics.SPANS.labels("dropped").inc(len(batch))
                raise
            took = self._clock.monotonic() - begun
            await self._clock.sleep(min(took * (1 / SHARE - 1), LONGEST_REST_SECONDS))

    async def _gathered(self) -> list[KeptSpan]:
        """What comes in a while, a batch at most."""
        batch = [await self._queue.get()]
        if self._queue.qsize() < BATCH - 1:
            await self._clock.sleep(GATHER_SECONDS)
        while len(batch) < BATCH and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    async def clean(self) -> None:
        """Delete what has expired, from time to time."""
        while True:
            removed = await self._store.remove_expired()
            if removed:
                log.info("spans_expired", removed=removed)
            await self._clock.sleep(CLEAN_SECONDS)
