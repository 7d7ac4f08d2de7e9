"""Records as they stand on the wire: every one can be read, whatever its batch or its headers' names are.

The broker takes any bytes as a header's name, and any number of bytes that a batch unpacks to. The client
library decodes names as UTF-8, strictly and outside of anybody's reach: its error ends the consumer's loop,
for every topic; and it unpacks without a bound. Here a name that is no UTF-8 is shown as `\\xff`, and in place of
a batch that does not unpack within a bound stands one record that says so, at its last offset.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from chassis.consuming.unpacking import Unreadable, unpacked
from chassis.delivery.records import UNREADABLE

_FORMAT_2 = 2
_MAGIC = 16


class TolerantRecords(_MemoryRecordsPy):  # type: ignore[misc]  # final for its authors' sake
    """The batches of one fetch."""

    def next_batch(self, *args: Any) -> "_Batch | None":
        raw = self._next_slice
        batch = super().next_batch(*args)
        return None if batch is None else _Batch(batch, raw)


class _Batch:
    """The library's batch, but for its iteration."""

    def __init__(self, batch: Any, raw: Any) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        """The first record of a control batch, which the fetcher looks at."""
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        """Record by record, as they are asked for: a batch may hold a million of them."""
        if self._raw[_MAGIC] < _FORMAT_2:  # only of a broker that was never installed by this project
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
        """What stands for all the records of a batch that nobody can read."""
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
    """A batch that is not compressed, with names of headers that are anything."""

    def __init__(self, plain: Any) -> None:
        super().__init__(plain)
        self._buffer: bytearray = _TolerantBytes(self._buffer)


class _TolerantBytes(bytearray):
    """Bytes whose slices decode without an error. Of a record, only the names of headers are decoded."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return found if isinstance(found, int) else _TolerantBytes(found)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002 - bytearray's signature
        return super().decode(encoding, "backslashreplace")


def install() -> None:
    """Let every consumer of this process read with `TolerantRecords`; harmless to repeat."""
    fetcher.MemoryRecords = TolerantRecords
