"""Unpacks compressed batches up to a limit: one megabyte can unpack to thousands of megabytes of zeros.

The broker limits only the packed size, and the client library unpacks without a limit. Here nothing beyond the limit
is ever written to memory, whatever the codec and whatever length the batch claims.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import cramjam
from aiokafka.record.default_records import DefaultRecordBase

from contracts.topics import MAX_MESSAGE_BYTES

MAX_UNPACKED_BYTES: Final = 16 * MAX_MESSAGE_BYTES
"""JSON packs to a tenth; a batch that unpacks to far more than ten times the largest message is hostile."""

_USUAL_RATIO, _USUAL_BYTES = 16, 65_536
"""First buffer size; a batch that needs more is retried with the full limit."""

_HEADER = DefaultRecordBase.HEADER_STRUCT.size
_ATTRIBUTES = slice(21, 23)
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16
_GZIP_WINDOW = 31


class Unreadable(Exception):
    """The batch cannot be unpacked, or not within the limit; the text says which."""


def unpacked(batch: memoryview, limit: int = MAX_UNPACKED_BYTES) -> memoryview | bytes:
    """The uncompressed form of a batch of format 2; an uncompressed batch is returned unchanged.

    Raises:
        Unreadable: it is corrupt, too large, or of an unknown codec.
    """
    (attributes,) = struct.unpack(">h", batch[_ATTRIBUTES])
    codec = attributes & DefaultRecordBase.CODEC_MASK
    if codec == DefaultRecordBase.CODEC_NONE:
        return batch
    records = _unpack(codec, bytes(batch[_HEADER:]), limit)
    head = bytearray(batch[:_HEADER])
    head[_ATTRIBUTES] = struct.pack(">h", attributes & ~DefaultRecordBase.CODEC_MASK)
    return b"".join((head, records))


def _unpack(codec: int, packed: bytes, limit: int) -> bytes | memoryview:
    try:
        match codec:
            case DefaultRecordBase.CODEC_GZIP:
                return _gzip(packed, limit)
            case DefaultRecordBase.CODEC_SNAPPY:
                return _snappy(packed, limit)
            case DefaultRecordBase.CODEC_LZ4:
                return _into(cramjam.lz4, packed, limit)
            case DefaultRecordBase.CODEC_ZSTD:
                return _into(cramjam.zstd, packed, limit)
    except (cramjam.DecompressionError, zlib.error, struct.error) as error:
        raise Unreadable(f"does not unpack within {limit} bytes: {error}") from error
    raise Unreadable(f"is packed by the unknown codec {codec}")


def _into(codec: object, packed: bytes, limit: int) -> memoryview:
    # Buffers are zeroed first: zeroing the full limit for every batch would cost more than reading its records.
    usual = min(limit, _USUAL_RATIO * len(packed) + _USUAL_BYTES)
    for size in (usual, limit):
        room = bytearray(size)
        try:
            written: int = codec.decompress_into(packed, room)  # type: ignore[attr-defined]  # cramjam has no types
        except cramjam.DecompressionError:
            if size == limit:
                raise
        else:
            return memoryview(room)[:written]
    raise AssertionError("the last size is the limit")


def _gzip(packed: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    left = limit
    while packed:
        member = zlib.decompressobj(_GZIP_WINDOW)
        parts.append(member.decompress(packed, left + 1))
        left -= len(parts[-1])
        if left < 0:
            raise Unreadable(f"unpacks to more than {limit} bytes")
        if not member.eof:
            raise Unreadable("ends in the middle of the packed data")
        packed = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _snappy(packed: bytes, limit: int) -> bytes:
    blocks = list(_xerial(packed)) if packed.startswith(_XERIAL) else [packed]
    # A block claims its unpacked size, and the codec allocates that much.
    if sum(map(cramjam.snappy.decompress_raw_len, blocks)) > limit:
        raise Unreadable(f"unpacks to more than {limit} bytes")
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _xerial(packed: bytes) -> Iterator[bytes]:
    """The snappy blocks in the framing of Java clients."""
    position = _XERIAL_HEADER
    while position < len(packed):
        (size,) = struct.unpack_from(">I", packed, position)
        yield packed[position + 4 : position + 4 + size]
        position += 4 + size
