"""Compressed batches, unpacked up to a bound: a megabyte of zeros, packed, is thousands of them.

The broker bounds what it takes by its packed size, and the client library unpacks without a bound. Here nothing
beyond the bound is ever written, whichever codec it is and whatever length the batch claims.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import cramjam
from aiokafka.record.default_records import DefaultRecordBase

from contracts.topics import MAX_MESSAGE_BYTES

MAX_UNPACKED_BYTES: Final = 16 * MAX_MESSAGE_BYTES
"""JSON packs to a tenth; a batch that is much more than ten times the largest that the broker takes is hostile."""

_USUAL_RATIO, _USUAL_BYTES = 16, 65_536
"""What unpacks to more is tried again with all the room there is."""

_HEADER = DefaultRecordBase.HEADER_STRUCT.size
_ATTRIBUTES = slice(21, 23)
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16
_GZIP_WINDOW = 31


class Unreadable(Exception):
    """A batch that cannot be unpacked, or not within the bound; says which."""


def unpacked(batch: memoryview, limit: int = MAX_UNPACKED_BYTES) -> memoryview | bytes:
    """A batch of format 2 as it is without compression; one that has none is given back.

    Raises:
        Unreadable: there is no reading it.
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
    raise Unreadable(f"is packed by codec {codec}, which nobody knows")


def _into(codec: object, packed: bytes, limit: int) -> memoryview:
    # Room is cleared before it is used: the whole bound, for every batch, would cost more than all its records.
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
            raise Unreadable("ends in the middle of what is packed")
        packed = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _snappy(packed: bytes, limit: int) -> bytes:
    blocks = list(_xerial(packed)) if packed.startswith(_XERIAL) else [packed]
    # What a block claims to unpack to is what would be set aside for it.
    if sum(map(cramjam.snappy.decompress_raw_len, blocks)) > limit:
        raise Unreadable(f"unpacks to more than {limit} bytes")
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _xerial(packed: bytes) -> Iterator[bytes]:
    """The blocks of snappy as Java's clients frame it."""
    position = _XERIAL_HEADER
    while position < len(packed):
        (size,) = struct.unpack_from(">I", packed, position)
        yield packed[position + 4 : position + 4 + size]
        position += 4 + size
