"""Builds our own record batches: messages handed over together are appended consecutively, or not at all.

A broker appends and replicates a batch as one. The client library takes messages one by one, and may put two of them
into two batches, of which the first can fail alone. Here messages of one hand-over share a batch. One batch per
partition is in transit; what arrives meanwhile goes into the next.
"""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, ProducerClosed, UnknownTopicOrPartitionError
from aiokafka.partitioner import murmur2
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from chassis.publishing.producer import Heard, Message

MAX_BATCH_BYTES: Final = 128 * 1024
"""A larger row gets a batch of its own, and the broker may refuse it."""


class _Row(NamedTuple):
    """Messages that were handed over together."""

    key: bytes
    messages: Sequence[Message]
    handed_at: int
    """Timestamp of the records, in milliseconds since 1970: when they were handed over."""
    heard: Heard
    size: int
    """Bytes, at most."""
    alone: bool
    """Whether it gets a batch of its own."""


class BatchingProducer:
    """Sends through the batch interface of the client library's producer."""

    def __init__(self, producer: AIOKafkaProducer, linger_seconds: float) -> None:
        self._producer = producer
        self._linger_seconds = linger_seconds
        self._gathered: dict[str, list[_Row]] = {}
        self._flushing: asyncio.TimerHandle | None = None
        self._lanes: dict[tuple[str, int], deque[_Row]] = {}
        """Per topic and partition: the rows that wait for the batch in transit."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        """Fail what is not sent yet, wait for the batches in transit, disconnect."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        gathered, self._gathered = self._gathered, {}
        for rows in (*gathered.values(), *self._lanes.values()):
            _answer(rows, ProducerClosed())
        for waiting in self._lanes.values():
            waiting.clear()
        await self._producer.stop()

    def send(self, topic: str, key: bytes, messages: Sequence[Message], heard: Heard, *, alone: bool = False) -> None:
        """As `Producer.send`."""
        row = _Row(key, messages, int(time.time() * 1000), heard, _size(key, messages), alone)
        self._gathered.setdefault(topic, []).append(row)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(self._linger_seconds, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        gathered, self._gathered = self._gathered, {}
        for topic, rows in gathered.items():
            self._run(self._share_out(topic, rows))

    async def _share_out(self, topic: str, rows: Sequence[_Row]) -> None:
        """Queue rows by partition."""
        try:
            partitions = sorted(await self._producer.partitions_for(topic))
            if not partitions:
                raise UnknownTopicOrPartitionError(f"{topic} has no partitions")  # the topic is being deleted
        except Exception as error:
            _answer(rows, error)
            return
        for row in rows:
            place = topic, partitions[_place(row.key, len(partitions))]
            if (waiting := self._lanes.get(place)) is not None:
                waiting.append(row)
                continue
            self._lanes[place] = deque([row])
            self._run(self._drain(place))

    async def _drain(self, place: tuple[str, int]) -> None:
        """Send the waiting rows of one partition, batch after batch, until none is left."""
        waiting = self._lanes[place]
        try:
            while waiting:
                await self._send(place, _next(waiting))
        finally:
            del self._lanes[place]
            _answer(waiting, ProducerClosed())

    async def _send(self, place: tuple[str, int], rows: Sequence[_Row]) -> None:
        error: Exception | None = ProducerClosed()  # in case of cancellation
        try:
            topic, partition = place
            await (await self._producer.send_batch(self._batch(rows), topic, partition=partition))
            error = None
        except Exception as failure:
            error = failure
        finally:
            _answer(rows, error)

    def _batch(self, rows: Sequence[_Row]) -> Any:
        batch = self._producer.create_batch()
        for row in rows:
            for value, headers in row.messages:
                if batch.append(key=row.key, value=value, headers=headers, timestamp=row.handed_at) is None:
                    raise MessageSizeTooLargeError(f"{len(row.messages)} messages do not fit into one batch")
        batch.close()  # otherwise it would linger for more
        return batch

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _next(waiting: deque[_Row]) -> list[_Row]:
    """Take as many rows as one batch holds."""
    rows = [waiting.popleft()]
    room = 0 if rows[0].alone else MAX_BATCH_BYTES - rows[0].size
    while waiting and not waiting[0].alone and waiting[0].size <= room:
        room -= waiting[0].size
        rows.append(waiting.popleft())
    return rows


def _answer(rows: Iterable[_Row], error: Exception | None) -> None:
    for row in rows:
        row.heard(error)


def _size(key: bytes, messages: Sequence[Message]) -> int:
    return sum(DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, headers) for value, headers in messages)


@lru_cache(512)
def _place(key: bytes, partitions: int) -> int:
    """The partition of a key, computed as all Kafka clients do."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
