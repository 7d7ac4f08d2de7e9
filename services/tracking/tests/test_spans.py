"""Spans: kept only with a UCR, truncated, limited in number; a full queue loses spans and never delays an exporter."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import bson
import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from prometheus_client import REGISTRY

from chassis.clock import SystemClock
from chassis.settings import ListenSettings
from chassis.testing import ManualClock, eventually
from tracking import otlp, spans
from tracking.otlp import TraceReceiver
from tracking.span_store import SpanStore, from_document, to_document
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
        self.writes = 0

    async def add(self, spans: Sequence[KeptSpan]) -> int:
        self.kept.extend(spans)
        self.writes += 1
        return 0

    async def remove_expired(self) -> int:
        return 0


class SlowSpans:
    """A slow store."""

    def __init__(self, store: MemorySpans, clock: ManualClock, seconds: float) -> None:
        self._store, self._clock, self._seconds = store, clock, seconds

    async def add(self, spans: Sequence[KeptSpan]) -> int:
        await self._clock.sleep(self._seconds)
        return await self._store.add(spans)

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


def test_a_hostile_span_is_reduced_to_what_the_database_accepts() -> None:
    span = a_span(**{"a\0b": "x\0y", "$where": "1", "a.b": "2", "": "3"})
    span.parent_span_id = bytes(1_000_000)
    span.links.add(trace_id=bytes(1_000_000), span_id=bytes(1_000_000))
    (kept,) = read_spans(an_export(span))
    assert kept is not None
    document = to_document(kept)
    bson.encode(document)
    assert not set(field_names(document)) & {"a\0b", "$where", "a.b", ""}
    assert from_document(document)["attributes"] == kept.attributes
    assert len(kept.parent_id) == 16
    assert [len(each) for each in kept.links] == [32 + 1 + 16]


def test_a_kept_span_is_truncated() -> None:
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


async def test_a_full_queue_drops_spans_reports_them_and_refuses_no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "MAX_QUEUED", 2)
    receiver = TraceReceiver(MemorySpans(), SystemClock(), ListenSettings(host="127.0.0.1", port=0))
    before = _exports()
    serving = asyncio.create_task(receiver.serve())
    try:
        await eventually(lambda: _value(receiver.port))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{receiver.port}") as channel:
            answer = await TraceServiceStub(channel).Export(an_export(*(a_span() for _ in range(5))))
        assert answer.partial_success.rejected_spans == 3
        assert _exports() == before + 1
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def _exports() -> float:
    labels = {"door": "otlp", "method": otlp.EXPORT, "code": "OK"}
    return REGISTRY.get_sample_value("trade_grpc_call_seconds_count", labels) or 0.0


def field_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from field_names(inner)


def test_a_span_stored_with_its_attributes_as_fields_is_read_as_before() -> None:
    (kept,) = read_spans(an_export(a_span(step="x")))
    assert kept is not None
    assert from_document({**to_document(kept), "attributes": {"trade.ucr": "6CN1", "step": "x"}}) == {
        **to_document(kept),
        "attributes": {"trade.ucr": "6CN1", "step": "x"},
    }


class StoredSpans:
    """A fake collection that records its commands and can change during a query."""

    def __init__(self, **stored: int) -> None:
        self.stored = stored
        self.commands: list[str] = []
        self.meanwhile: list[Callable[[], Awaitable[object]]] = []

    def __getitem__(self, name: str) -> "StoredSpans":
        return self

    def with_options(self, **_: object) -> "StoredSpans":
        return self

    async def estimated_document_count(self) -> int:
        self.commands.append("count")
        if self.meanwhile:
            await self.meanwhile.pop()()
        return sum(self.stored.values())

    async def aggregate(self, stages: list[dict[str, Any]]) -> "Answer":
        self.commands.append("aggregate")
        if self.meanwhile:
            await self.meanwhile.pop()()
        asked = stages[0]["$match"]["ucr"]["$in"]
        return Answer([{"_id": ucr, "count": self.stored[ucr]} for ucr in asked if ucr in self.stored])

    async def delete_many(self, _: object) -> Any:
        self.commands.append("delete")
        return SimpleNamespace(deleted_count=1)

    async def bulk_write(self, operations: Sequence[object], *, ordered: bool) -> None:
        self.commands.append(f"write {len(operations)}")


class Answer(list[dict[str, Any]]):
    async def to_list(self) -> list[dict[str, Any]]:
        return self


def a_store(collection: StoredSpans, per_shipment: int = 5, in_all: int = 100) -> SpanStore:
    return SpanStore(collection, ManualClock(), days=1, per_shipment=per_shipment, in_all=in_all)  # type: ignore[arg-type]


def spans_of(*ucrs: str) -> list[KeptSpan]:
    return [span for span in read_spans(an_export(*(a_span(ucr) for ucr in ucrs))) if span is not None]


@pytest.mark.parametrize("looks", [1, 2])
async def test_spans_that_expire_while_others_are_counted_do_not_disturb_the_count(looks: int) -> None:
    collection = StoredSpans(A=4)
    store = a_store(collection)
    collection.meanwhile = [store.remove_expired] * looks
    assert await store.add(spans_of("A", "A", "B")) == 1


async def test_a_batch_of_spans_costs_one_query_and_one_write() -> None:
    collection = StoredSpans(A=4)
    store = a_store(collection)
    assert await store.add(spans_of("A", "A", "B", "C")) == 1
    assert collection.commands == ["count", "aggregate", "write 3"]
    assert await store.add(spans_of("B", "C", *"BBBBB")) == 2
    assert collection.commands[3:] == ["write 5"], "known counts are not queried again"


class Called:
    """The context of a call without a status code."""

    def code(self) -> None:
        return None


async def test_a_slower_database_gets_fewer_writes_of_spans() -> None:
    clock, store = ManualClock(), MemorySpans()
    receiver = TraceReceiver(SlowSpans(store, clock, seconds=2), clock, ListenSettings(port=0))
    writing = asyncio.create_task(receiver.write())
    try:
        for _ in range(60):
            await receiver.Export(an_export(a_span()), Called())  # type: ignore[arg-type]  # only its code is read
            await clock.advance(seconds=1)
            await asyncio.sleep(0)
    finally:
        writing.cancel()
    assert len(store.kept) >= 40
    assert store.writes <= 3, "gather 1 s, write 2 s, rest 18 s"


async def _value(value: object) -> object:
    return value
