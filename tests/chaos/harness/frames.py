"""Splits the bytes of Kafka, MongoDB and gRPC into messages, and names the request of each.

One object per connection. Messages are passed on unchanged, except that the broker's own address is replaced by the
link's, so that clients stay on the link.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

KAFKA_NAMES = {0: "produce", 1: "fetch", 3: "metadata", 8: "commit", 10: "coordinator", 11: "join", 12: "heartbeat"}
_ADDRESSES = {"metadata", "coordinator"}
_OP_MSG = 2013
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One message in transit."""

    data: bytes
    name: str = ""
    """The request that it makes or answers."""


class Frames(Protocol):
    """Both directions of one connection."""

    def requests(self, chunk: bytes) -> Iterator[Frame]: ...

    def answers(self, chunk: bytes) -> Iterator[Frame]: ...


class _Cutter:
    """Collects bytes until messages are whole."""

    def __init__(self, length: Callable[[bytes], int]) -> None:
        self._rest = b""
        self._length = length

    def cut(self, chunk: bytes) -> Iterator[bytes]:
        self._rest += chunk
        while (size := self._length(self._rest)) and len(self._rest) >= size:
            message, self._rest = self._rest[:size], self._rest[size:]
            yield message


class KafkaFrames:
    """Kafka's protocol; `there` is the broker's port, `here` the link's."""

    def __init__(self, there: int, here: int) -> None:
        self._asked: dict[int, str] = {}
        self._there, self._here = (b"127.0.0.1" + struct.pack(">i", port) for port in (there, here))
        self._requests = _Cutter(_kafka_length)
        self._answers = _Cutter(_kafka_length)

    def requests(self, chunk: bytes) -> Iterator[Frame]:
        for data in self._requests.cut(chunk):
            key, _, correlation = struct.unpack_from(">hhi", data, 4)
            self._asked[correlation] = name = KAFKA_NAMES.get(key, str(key))
            yield Frame(data, name)

    def answers(self, chunk: bytes) -> Iterator[Frame]:
        for data in self._answers.cut(chunk):
            name = self._asked.pop(struct.unpack_from(">i", data, 4)[0], "")
            yield Frame(data.replace(self._there, self._here) if name in _ADDRESSES else data, name)


class MongoFrames:
    """MongoDB's protocol; a command's name is the first one of its document."""

    def __init__(self) -> None:
        self._asked: dict[int, str] = {}
        self._requests = _Cutter(_mongo_length)
        self._answers = _Cutter(_mongo_length)

    def requests(self, chunk: bytes) -> Iterator[Frame]:
        for data in self._requests.cut(chunk):
            _, number, _, kind = struct.unpack_from("<iiii", data)
            # flags (4), kind of section (1), length of the document (4), type of its first element (1)
            self._asked[number] = name = data[26 : data.index(0, 26)].decode() if kind == _OP_MSG else ""
            yield Frame(data, name)

    def answers(self, chunk: bytes) -> Iterator[Frame]:
        for data in self._answers.cut(chunk):
            yield Frame(data, self._asked.pop(struct.unpack_from("<i", data, 8)[0], ""))


class GrpcFrames:
    """HTTP/2, only enough to distinguish the first part of an answer from control frames."""

    def __init__(self) -> None:
        self._requests = _Cutter(_http2_length)
        self._answers = _Cutter(_http2_length)

    def requests(self, chunk: bytes) -> Iterator[Frame]:
        yield from (Frame(data, _call(data)) for data in self._requests.cut(chunk))

    def answers(self, chunk: bytes) -> Iterator[Frame]:
        yield from (Frame(data, _call(data)) for data in self._answers.cut(chunk))


def _kafka_length(data: bytes) -> int:
    return 4 + int(struct.unpack_from(">i", data)[0]) if len(data) >= 4 else 0


def _mongo_length(data: bytes) -> int:
    return int(struct.unpack_from("<i", data)[0]) if len(data) >= 16 else 0


def _http2_length(data: bytes) -> int:
    if data[:3] == _PREFACE[:3]:
        return len(_PREFACE)
    return 9 + int.from_bytes(data[:3]) if len(data) >= 9 else 0


def _call(data: bytes) -> str:
    return "call" if data[3] == _HEADERS and not data.startswith(_PREFACE) else ""
