"""Whatever bytes a partner writes, as a header name or packed, the batch and its neighbours are read."""

import gzip
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from chassis.consuming.subscriber import raw_record  # importing it is what makes it so
from chassis.consuming.tolerant_records import TolerantRecords
from chassis.delivery.records import UNREADABLE

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
MEBIBYTE = 1_048_576


def _batch(compression: int, names: list[bytes]) -> bytes:
    """A batch with one record per header name; the library's builder only takes text, so the bytes are patched in."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1_000_000)
    for offset, name in enumerate(names):
        builder.append(offset, 1_000, b"key", b"value", [("#" * len(name), b"v")])
    built = bytearray(builder.build())
    for name in names:
        built = built.replace(b"#" * len(name), name, 1)
    if compression == GZIP:
        built = _compressed(built)
    return bytes(built)


def _compressed(built: bytearray) -> bytearray:
    head, body = built[:61], gzip.compress(bytes(built[61:]))
    head[8:12] = struct.pack(">i", 49 + len(body))
    head[21:23] = struct.pack(">h", GZIP)
    return head + bytearray(body)


@pytest.mark.parametrize("compression", [0, GZIP])
def test_a_header_name_that_is_no_utf8_is_shown_and_its_neighbours_are_read(compression: int) -> None:
    records = TolerantRecords(_batch(compression, [b"good", b"\xff\xfe", b"fine"]))
    assert records.has_next()
    read = [(each.offset, each.value, each.headers) for each in records.next_batch() or ()]
    assert read == [
        (0, b"value", [("good", b"v")]),
        (1, b"value", [("\\xff\\xfe", b"v")]),
        (2, b"value", [("fine", b"v")]),
    ]
    assert not records.has_next()
    assert records.next_batch() is None


def test_a_batch_keeps_what_the_fetcher_asks_of_it() -> None:
    batch = TolerantRecords(_batch(0, [b"\xff"])).next_batch()
    assert batch is not None
    assert (batch.base_offset, batch.next_offset, batch.is_control_batch) == (0, 1, False)


@pytest.mark.parametrize("compression", [GZIP, SNAPPY, LZ4, ZSTD])
def test_a_batch_is_read_whatever_it_is_packed_by(compression: int) -> None:
    (first, second) = _read(_packed(compression, [b"a" * 2 * MEBIBYTE, b"b"]))
    assert (first.value, second.value, second.offset) == (b"a" * 2 * MEBIBYTE, b"b", 1)


@pytest.mark.parametrize("compression", [GZIP, SNAPPY, LZ4, ZSTD])
def test_one_record_stands_for_a_batch_that_unpacks_to_more_than_is_read(compression: int) -> None:
    packed = _packed(compression, [b"good", bytes(64 * MEBIBYTE), b"fine"])
    read = _read(packed + _packed(compression, [b"next"]))
    assert [(each.offset, each.key, each.value) for each in read] == [(2, None, None), (0, b"key", b"next")]
    told = raw_record(ConsumerRecord("t", 0, 2, 0, 0, None, None, None, -1, -1, read[0].headers)).unreadable
    assert told.startswith(f"a batch of 3 records, {len(packed)} bytes, ")
    assert str(16 * MEBIBYTE) in told


@pytest.mark.parametrize("compression", [GZIP, SNAPPY, LZ4, ZSTD, 7])
def test_one_record_stands_for_a_batch_that_does_not_unpack(compression: int) -> None:
    broken = bytearray(_packed(0, [b"value", b"value"]))
    broken[21:23] = struct.pack(">h", compression)
    (record,) = _read(bytes(broken))
    assert (record.offset, [name for name, _ in record.headers]) == (1, [UNREADABLE])


def test_a_snappy_block_that_claims_more_than_is_read_sets_nothing_aside() -> None:
    claim = b"\xff\xff\xff\xff\x0f"  # 4 GiB, as a varint
    broken = bytearray(_packed(SNAPPY, [b"value"]))[:61] + claim
    broken[8:12] = struct.pack(">i", 49 + len(claim))
    (record,) = _read(bytes(broken))
    assert b"more than" in dict(record.headers)[UNREADABLE]


def test_a_million_small_records_are_read_one_by_one() -> None:
    records = TolerantRecords(_packed(ZSTD, [b""] * 200_000)).next_batch()
    assert records is not None
    assert next(iter(records)).offset == 0
    assert isinstance(iter(records), Iterator)


def _packed(compression: int, values: list[bytes]) -> bytes:
    builder = DefaultRecordBatchBuilder(2, compression, False, -1, -1, -1, 100 * MEBIBYTE)
    for offset, value in enumerate(values):
        assert builder.append(offset, 1_000, b"key", value, []) is not None
    return bytes(builder.build())


def _read(fetched: bytes) -> list[Any]:
    records = TolerantRecords(fetched)
    read: list[Any] = []
    while (batch := records.next_batch()) is not None:
        read += batch
    return read


def test_every_consumer_of_the_process_reads_so() -> None:
    assert fetcher.MemoryRecords is TolerantRecords
