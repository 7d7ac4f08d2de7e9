"""Batches that no client library would send: header names that are not UTF-8, gigabytes in a few kilobytes."""

import struct
from collections.abc import Iterator

import cramjam
from aiokafka.client import AIOKafkaClient
from aiokafka.partitioner import murmur2
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder, encode_varint
from aiokafka.record.util import calc_crc32c

from contracts.topics import PARTITIONS, Profile

_HEADER = 61
_LENGTH, _CRC, _ATTRIBUTES = slice(8, 12), slice(17, 21), slice(21, 23)
_ZSTD = 4
_MEBIBYTE = 1_048_576


def with_header_name(name: bytes, key: bytes, value: bytes) -> bytes:
    """A batch of one record with a header whose name is arbitrary bytes."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 2 * len(value) + 1000)
    placeholder = "#" * len(name)
    builder.append(0, 1_700_000_000_000, key, value, [(placeholder, b"v")])
    return _signed(bytes(builder.build()).replace(placeholder.encode(), name))


def bomb(mebibytes: int, key: bytes) -> bytes:
    """A batch of one record of mebibytes of zeros, compressed to less than a thousandth."""
    builder = DefaultRecordBatchBuilder(2, _ZSTD, False, -1, -1, -1, 1000)
    builder.append(0, 1_700_000_000_000, b"", b"", [])
    head = bytearray(builder.build())[:_HEADER]
    packer = cramjam.zstd.Compressor(level=3)
    packed = b"".join(_fed(packer, mebibytes, key))
    head[_LENGTH] = struct.pack(">i", _HEADER - 12 + len(packed))
    return _signed(bytes(head) + packed)


async def send_batch(bootstrap: str, topic: str, key: bytes, batch: bytes) -> tuple[int, int]:
    """Send a batch to the broker unchanged; return its partition and its first offset.

    Raises:
        AssertionError: the broker refused it; names the code.
    """
    # The partition that every client chooses for this key.
    partition = (murmur2(key) & 0x7FFFFFFF) % PARTITIONS[Profile.DEV]
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=60_000)
    await client.bootstrap()
    try:
        await client.force_metadata_update()
        (node,) = {each.nodeId for each in client.cluster.brokers()}
        request = ProduceRequest(None, -1, 60_000, [(topic, [(partition, batch)])])
        answer = await client.send(node, request)
    finally:
        await client.close()
    _, code, offset, *_ = answer.topics[0][1][0]
    assert code == 0, f"the broker refused the batch: {code}"
    return partition, offset


def _fed(packer: "cramjam.zstd.Compressor", mebibytes: int, key: bytes) -> Iterator[bytes]:
    """One record, compressed piece by piece: it is never whole in memory."""
    size = mebibytes * _MEBIBYTE
    body = b"\0\0\0" + _varint(len(key)) + key + _varint(size)
    packer.compress(_varint(len(body) + size + 1) + body)
    for _ in range(mebibytes):
        packer.compress(bytes(_MEBIBYTE))
        yield bytes(packer.flush())
    packer.compress(b"\0")
    yield bytes(packer.finish())


def _varint(number: int) -> bytes:
    written = bytearray()
    encode_varint(number, written.append)
    return bytes(written)


def _signed(batch: bytes) -> bytes:
    signed = bytearray(batch)
    signed[_CRC] = struct.pack(">I", calc_crc32c(memoryview(signed)[_ATTRIBUTES.start :]))
    return bytes(signed)
