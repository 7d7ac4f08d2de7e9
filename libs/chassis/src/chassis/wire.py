"""Records as they stand on the wire: every one can be read, whatever its headers' names are.

The broker takes any bytes as a header's name. The client library decodes names as UTF-8, strictly
and outside of anybody's reach: its error ends the consumer's loop, for every topic. Here such a
batch is read a second time, and what is no UTF-8 in a name is shown as `\\xff`.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


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

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            return iter(_TolerantBatch(self._raw))


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
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
