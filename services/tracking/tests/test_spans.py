"""Spans: kept only with a UCR, cut to size, bounded in number; a full queue costs spans, never an exporter's time."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict

import bson
import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from chassis.clock import SystemClock
from chassis.settings import ListenSettings
from chassis.testing import eventually
from tracking import otlp, spans
from tracking.otlp import TraceReceiver
from tracking.spans import KeptSpan, read_spans


def a_span(ucr: str | None = "6CN1", name: str = "process declarations.events.v1", **attributes: str) -> Span:
    given = attributes | ({"trade.ucr": ucr} if ucr is not None else {})
    return Span(
        trace_id=os.urandom(16),
        span_id=os.urandom(8),
        name=name,
        start_time_unix_nano=1_767_600_000_000_000_000,
        end_time_unix_nano=1_767_600_000_012_345_000,
        attributes=[KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in given.items()],
    )


def an_export(*given: Span) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=given)])])


class MemorySpans:
    def __init__(self) -> None:
        self.kept: list[KeptSpan] = []

    async def add(self, spans: Sequence[KeptSpan]) -> int:
        self.kept.extend(spans)
        return 0

    async def remove_expired(self) -> int:
        return 0


def test_only_spans_with_a_ucr_are_kept() -> None:
    bad_id = a_span()
    bad_id.trace_id = b"short"
    found = list(read_spans(an_export(a_span(), a_span(ucr=None), a_span(ucr=""), a_span(ucr="x" * 36), bad_id)))
    assert [each is not None for each in found] == [True, False, False, False, False]
    kept = found[0]
    assert kept is not None
    assert (kept.ucr, kept.milliseconds, kept.status) == ("6CN1", 12.345, "ok")


def test_a_hostile_span_is_cut_to_what_the_database_takes() -> None:
    span = a_span(**{"a\0b": "x\0y", "$where": "1"})
    span.parent_span_id = bytes(1_000_000)
    span.links.add(trace_id=bytes(1_000_000), span_id=bytes(1_000_000))
    (kept,) = read_spans(an_export(span))
    assert kept is not None
    assert not any("\0" in name for name in kept.attributes)
    bson.encode(asdict(kept))
    assert len(kept.parent_id) == 16
    assert [len(each) for each in kept.links] == [32 + 1 + 16]


def test_a_kept_span_is_cut_to_size() -> None:
    many = {f"a{number}": "v" * 10_000 for number in range(500)}
    huge = a_span(name="n" * 10_000)
    huge.attributes.extend(KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in many.items())
    (kept,) = read_spans(an_export(huge))
    assert kept is not None
    assert len(kept.name) <= spans.MAX_TEXT
    assert len(kept.attributes) <= spans.MAX_ATTRIBUTES
    assert max(len(value) for value in kept.attributes.values()) <= spans.MAX_TEXT


async def test_an_exporter_s_spans_arrive_over_grpc() -> None:
    store = MemorySpans()
    receiver = TraceReceiver(store, SystemClock(), ListenSettings(host="127.0.0.1", port=0))
    tasks = [asyncio.create_task(run()) for run in (receiver.serve, receiver.write)]
    try:
        await eventually(lambda: _value(receiver.port))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{receiver.port}") as channel:
            stub = TraceServiceStub(channel)
            answer = await stub.Export(an_export(a_span(), a_span(ucr=None), a_span("6CN2")))
        assert answer.partial_success.rejected_spans == 0
        await eventually(lambda: _value([each.ucr for each in store.kept] == ["6CN1", "6CN2"]))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_full_queue_drops_and_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "MAX_QUEUED", 2)
    receiver = TraceReceiver(MemorySpans(), SystemClock(), ListenSettings(port=0))
    answer = await receiver.Export(an_export(*(a_span() for _ in range(5))), None)  # type: ignore[arg-type]
    assert answer.partial_success.rejected_spans == 3


async def _value(value: object) -> object:
    return value
