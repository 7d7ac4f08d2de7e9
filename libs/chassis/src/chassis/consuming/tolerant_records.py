"""Reads every record, whatever the bytes of its batch or header names.

The broker accepts any bytes as a header name, and batches of any unpacked size. The client library decodes header
names strictly as UTF-8, in a place where the error cannot be caught and ends the consumer's loop for all topics; and
it unpacks without a limit. Here invalid bytes in a name are escaped as `\\xff`, and a batch that does not unpack
within the limit is replaced by one record that says so, at the batch's last offset.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from chassis.consuming.unpacking import Unreadable, unpacked
from chassis.delivery import UNREADABLE

_FORMAT_2 = 2
_MAGIC = 16


class TolerantRecords(_MemoryRecordsPy):  # type: ignore[misc]  # final for its authors' sake
    """The batches of one fetch."""

    def next_batch(self, *args: Any) -> "_Batch | None":
        raw = self._next_slice
        batch = super().next_batch(*args)
        return None if batch is None else _Batch(batch, raw)


class _Batch:
    """The library's batch, with our own iteration."""

    def __init__(self, batch: Any, raw: Any) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        """The first record of a control batch, which the fetcher looks at."""
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        """Lazily, record by record: a batch may hold a million of them."""
        if self._raw[_MAGIC] < _FORMAT_2:  # only from brokers far older than the one this project installs
            yield from self._batch
            return
        try:
            plain = unpacked(self._raw)
        except Unreadable as error:
            yield self._in_place(str(error))
            return
        read = 0
        try:
            for record in self._batch if plain is self._raw else DefaultRecordBatch(plain):
                read += 1
                yield record
        except UnicodeDecodeError:
            yield from islice(_TolerantBatch(plain), read, None)

    def _in_place(self, why: str) -> _DefaultRecordPy:
        """The record that replaces all records of an unreadable batch."""
        head = _DefaultRecordBatchPy(self._raw)
        told = f"a batch of {head.last_offset_delta + 1} records, {len(self._raw)} bytes, {why}"
        return _DefaultRecordPy(
            head.next_offset - 1,
            max(head.max_timestamp, 0),
            head.timestamp_type,
            None,
            None,
            [(UNREADABLE, told.encode())],
        )


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """An uncompressed batch whose header names may be any bytes."""

    def __init__(self, plain: Any) -> None:
        super().__init__(plain)
        self._buffer: bytearray = _TolerantBytes(self._buffer)


class _TolerantBytes(bytearray):
    """Bytes whose slices decode without error. The library decodes only the header names of a record."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return found if isinstance(found, int) else _TolerantBytes(found)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002 - bytearray's signature
        return super().decode(encoding, "backslashreplace")


def install() -> None:
    """Make every consumer of this process use `TolerantRecords`; idempotent."""
    fetcher.MemoryRecords = TolerantRecords
