"""The read model on MongoDB: entries are read back unchanged, and what grows is limited."""

import os
from collections.abc import AsyncIterator, Callable

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from pydantic import SecretStr

from chassis import mongo
from chassis.delivery.records import RawRecord
from chassis.mongo import Database
from chassis.rpc.paging import Place
from chassis.settings import MongoSettings
from chassis.testing import ManualClock
from launcher.infrastructure import Infrastructure
from tracking.domain.entry import Entry
from tracking.messages import Unreadable, read
from tracking.span_store import SpanStore
from tracking.spans import KeptSpan, read_spans
from tracking.store import TimelineStore

EntryMaker = Callable[..., Entry]
RecordMaker = Callable[..., RawRecord]


@pytest.fixture
async def database(infrastructure: Infrastructure) -> AsyncIterator[Database]:
    client = mongo.connect(MongoSettings(url=SecretStr(infrastructure.mongo_url)))
    yield mongo.open_database(client, f"tracking_store_{os.urandom(4).hex()}")
    await client.close()


async def test_stored_entries_are_read_back_unchanged(database: Database, an_entry: EntryMaker) -> None:
    store = TimelineStore(database)
    await store.create_indexes()
    entry = an_entry(seq=1, lrn="L1", ucr="6CNSTORE", **{"a.b$": "\0", "big": 2**70})
    await store.add([entry, entry])
    await store.add([entry])
    assert await store.thread("6CNSTORE") == [entry]
    assert await store.search("L1", "", 50) == [("6CNSTORE", {"lrn"})]
    assert await store.search("6CNSTORE", "", 50) == [("6CNSTORE", {"ucr"})]
    assert await store.search("L", "", 50) == []


async def test_a_shipment_s_ids_are_indexed_once_and_every_entry_is_read_back_whole(
    database: Database, an_entry: EntryMaker
) -> None:
    store = TimelineStore(database)
    await store.create_indexes()
    first, second = (an_entry(id=f"e{number}", ucr="6CNSTORE", container="BOX") for number in (1, 2))
    await store.add([first])
    await store.add([second, an_entry(id="e3", ucr="6CNOTHER", container="BOX")])
    assert await database["entries"].count_documents({"terms": "container=BOX"}) == 2
    assert sorted(await store.thread("6CNSTORE"), key=lambda entry: entry.id) == [first, second]
    assert [thread for thread, _ in await store.search("BOX", "", 50)] == ["6CNOTHER", "6CNSTORE"]
    # A new process remembers no terms: it indexes them again, and none is missing.
    await TimelineStore(database).add([an_entry(id="e4", ucr="6CNSTORE", container="BOX")])
    assert await database["entries"].count_documents({"terms": "container=BOX"}) == 3


async def test_the_terms_of_an_entry_that_was_not_stored_are_not_remembered_as_indexed(
    database: Database, an_entry: EntryMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TimelineStore(database)
    await store.create_indexes()
    entry = an_entry(ucr="6CNSTORE", container="BOX")

    async def away(*_: object) -> set[str]:
        raise ConnectionError

    with monkeypatch.context() as broken, pytest.raises(ConnectionError):
        broken.setattr("tracking.store.insert_missing", away)
        await store.add([entry])
    await store.add([entry])
    assert [thread for thread, _ in await store.search("BOX", "", 50)] == ["6CNSTORE"]


async def test_an_entry_of_an_earlier_release_is_read(database: Database, an_entry: EntryMaker) -> None:
    store = TimelineStore(database)
    await store.create_indexes()
    entry = an_entry(ucr="6CNSTORE", container="BOX")
    await store.add([entry])
    await database["entries"].update_one({}, {"$rename": {"refs": "terms"}})
    assert await store.thread("6CNSTORE") == [entry]


@pytest.mark.parametrize("written", ["CSQU3054383", "csqu 305438 3", "CSQU-305438-3", " csqu3054383 "])
async def test_a_container_is_found_in_any_spelling(database: Database, a_record: RecordMaker, written: str) -> None:
    store = TimelineStore(database)
    await store.create_indexes()
    entry = read(a_record("partners.shipment.gate_in", references={"ucr": "6CNBOX", "container": "csqu 305438-3"}))
    assert isinstance(entry, Entry)
    await store.add([entry])
    assert await store.search(written, "", 50) == [("6CNBOX", {"container"})]


@pytest.mark.parametrize("written", ["B-1", " b - 1", "bank-qd/b-1"])
async def test_a_bank_s_reference_finds_the_shipment_with_the_bank_or_without(
    database: Database, an_entry: EntryMaker, written: str
) -> None:
    store = TimelineStore(database)
    await store.create_indexes()
    await store.add([an_entry("declarations.settlement.allocated", publisher="bank-qd", payment_reference="b-1")])
    assert [thread for thread, _ in await store.search(written, "", 50)] == ["6CNUCR1"]
    assert await store.search("bank-sh/B-1", "", 50) == []


async def test_pages_of_a_search_and_of_unreadable_records_show_all_once(
    database: Database, an_entry: EntryMaker
) -> None:
    store, clock = TimelineStore(database), ManualClock()
    await store.create_indexes()
    await store.add([an_entry(id=f"e{number}", ucr=f"6CN{number}", container="BOX") for number in range(5)])
    bad = [Unreadable(RawRecord("t", 0, number, None, (), None, 0), "bad") for number in range(5)]
    await store.keep_unreadable(bad, clock.now())
    found, kept, after = list[str](), list[str](), ""
    before: Place | None = None
    for _ in range(3):
        found += [thread for thread, _ in await store.search("BOX", after, 2)]
        after = found[-1]
        _, records = await store.unreadable(before, 2)
        kept += [each["_id"] for each in records]
        before = (records[-1]["kept_at"], kept[-1])
    assert found == [f"6CN{number}" for number in range(5)]
    assert sorted(kept) == [f"t/0/{number}" for number in range(5)]


async def test_spans_are_bounded_per_shipment_and_in_all_and_expire(database: Database) -> None:
    clock = ManualClock()
    store = SpanStore(database, clock, days=1, per_shipment=3, in_all=5)
    await store.create_indexes()
    assert await store.add(_spans("6CN1", 5)) == 2
    assert await store.add(_spans("6CN2", 5)) == 3
    assert len(await store.of("6CN1")) == 3
    await clock.advance(days=2)
    assert await store.remove_expired() == 5
    assert await store.add(_spans("6CN1", 1)) == 0


def _spans(ucr: str, count: int) -> list[KeptSpan]:
    attribute = KeyValue(key="trade.ucr", value=AnyValue(string_value=ucr))
    spans = [Span(trace_id=os.urandom(16), span_id=os.urandom(8), attributes=[attribute]) for _ in range(count)]
    export = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])])
    return [span for span in read_spans(export) if span is not None]
