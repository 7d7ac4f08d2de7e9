"""Whatever bytes a partner writes as a header's name, the batch is read, and so are its neighbours."""

import gzip
import struct

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder

import chassis.consumer  # noqa: F401 - what makes it so
from chassis.wire import TolerantRecords

GZIP = 1


def _batch(compression: int, names: list[bytes]) -> bytes:
    """A batch with one record per header name; the library's builder takes text only, so bytes are put in after."""
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


def test_every_consumer_of_the_process_reads_so() -> None:
    assert fetcher.MemoryRecords is TolerantRecords
