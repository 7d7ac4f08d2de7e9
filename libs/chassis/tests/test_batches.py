"""Messages handed over together are consecutive on their partition, or not there at all."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    ProducerClosed,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from chassis.publishing.producer import Message
from chassis.publishing.record_batches import MAX_BATCH_BYTES, BatchingProducer

TOPIC = "tallies.events.v1"
PARTITIONS = 6


class Batch(BatchBuilder):  # type: ignore[misc]
    """The library's batch, and its contents."""

    def __init__(self) -> None:
        super().__init__(MAX_BATCH_BYTES, 0)
        self.values: list[bytes] = []
        self.times: list[int] = []

    def append(self, *, timestamp: Any, key: bytes, value: bytes, headers: Any = ()) -> Any:
        taken = super().append(timestamp=timestamp, key=key, value=value, headers=headers)
        if taken is not None:
            self.values.append(value)
            self.times.append(timestamp)
        return taken


class Library:
    """The client library's producer; answers when the test says."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, list[bytes]]] = []
        self.times: list[int] = []
        self.answers: list[asyncio.Future[None]] = []
        self.refused: set[bytes] = set()
        self.unknown = False
        self.partitions = PARTITIONS

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def partitions_for(self, topic: str) -> set[int]:
        if self.unknown:
            raise UnknownTopicOrPartitionError
        return set(range(self.partitions))

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[None]":
        assert batch.closed(), "it would linger once more"
        self.batches.append((partition, batch.values))
        self.times += batch.times
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.refused & {*batch.values}:
            answer.set_exception(MessageSizeTooLargeError())
        self.answers.append(answer)
        return answer

    async def sent(self, count: int) -> None:
        for _ in range(100):
            if len(self.batches) == count:
                break
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.005)
        assert len(self.batches) == count

    def acknowledge(self) -> None:
        for each in self.answers:
            if not each.done():
                each.set_result(None)


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
async def producer(library: Library) -> AsyncIterator[BatchingProducer]:
    made = BatchingProducer(library, 0.002)
    yield made
    library.acknowledge()
    await made.stop()


def send(
    producer: BatchingProducer, *values: bytes, key: bytes = b"key", alone: bool = False
) -> "asyncio.Future[None]":
    """Hand over messages in a row; the answer is in the future."""
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def heard(error: BaseException | None) -> None:
        assert not answer.done(), "answered twice"
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(error)

    producer.send(TOPIC, key, [Message(value, [("ce_id", b"E/0.1")]) for value in values], heard, alone=alone)
    return answer


async def test_what_is_handed_over_within_a_moment_goes_in_one_batch(
    producer: BatchingProducer, library: Library
) -> None:
    answers = [send(producer, b"1", b"2"), send(producer, b"3")]
    await library.sent(1)
    assert library.batches[0][1] == [b"1", b"2", b"3"]
    assert not any(each.done() for each in answers)
    library.acknowledge()
    await asyncio.gather(*answers)


async def test_a_key_goes_where_every_client_of_kafka_looks_for_it(
    producer: BatchingProducer, library: Library
) -> None:
    keys = [f"key-{number}".encode() for number in range(40)]
    for key in keys:
        send(producer, key, key=key)
    partitions = list(range(PARTITIONS))
    looked_for = {key: DefaultPartitioner()(key, partitions, partitions) for key in keys}
    await library.sent(len(set(looked_for.values())))
    found: dict[bytes, int] = {}
    for partition, values in library.batches:
        found |= dict.fromkeys(values, partition)
    assert found == looked_for


async def test_per_partition_one_batch_is_on_its_way_and_what_comes_meanwhile_is_the_next(
    producer: BatchingProducer, library: Library
) -> None:
    send(producer, b"1")
    await library.sent(1)
    later = [send(producer, value) for value in (b"2", b"3")]
    await asyncio.sleep(0.01)
    assert len(library.batches) == 1
    library.acknowledge()
    await library.sent(2)
    assert library.batches[1][1] == [b"2", b"3"]
    library.acknowledge()
    await asyncio.gather(*later)


async def test_a_records_time_is_that_of_its_handing_over_however_long_it_waits(
    producer: BatchingProducer, library: Library
) -> None:
    send(producer, b"1")
    await library.sent(1)
    send(producer, b"2")
    handed_at = time.time() * 1000
    await asyncio.sleep(0.05)
    library.acknowledge()
    await library.sent(2)
    assert abs(library.times[1] - handed_at) < 40


async def test_a_row_is_never_cut_by_the_end_of_a_batch(producer: BatchingProducer, library: Library) -> None:
    large = b"x" * (MAX_BATCH_BYTES // 2)
    answers = [send(producer, large), send(producer, b"1", large)]
    await library.sent(1)
    library.acknowledge()
    await library.sent(2)
    assert [values for _, values in library.batches] == [[large], [b"1", large]]
    library.acknowledge()
    await asyncio.gather(*answers)


async def test_a_row_larger_than_any_batch_is_refused_whole(producer: BatchingProducer, library: Library) -> None:
    large = b"x" * (MAX_BATCH_BYTES // 2)
    with pytest.raises(MessageSizeTooLargeError):
        await send(producer, large, large, large)
    assert library.batches == []


async def test_what_goes_alone_shares_its_batch_with_nobody(producer: BatchingProducer, library: Library) -> None:
    answers = [send(producer, value, alone=value == b"3") for value in (b"1", b"2", b"3", b"4")]
    for count in (1, 2, 3):
        await library.sent(count)
        library.acknowledge()
    assert [values for _, values in library.batches] == [[b"1", b"2"], [b"3"], [b"4"]]
    await asyncio.gather(*answers)


async def test_what_the_broker_refuses_is_refused_to_the_whole_batch(
    producer: BatchingProducer, library: Library
) -> None:
    library.refused = {b"2"}
    answers = [send(producer, value) for value in (b"1", b"2", b"3")]
    told = await asyncio.gather(*answers, return_exceptions=True)
    assert [type(each) for each in told] == [MessageSizeTooLargeError] * 3
    assert len(library.batches) == 1, "whatever follows on this producer is refused as well"


async def test_a_failure_is_told_to_everybody_in_the_batch(producer: BatchingProducer, library: Library) -> None:
    answers = [send(producer, value) for value in (b"1", b"2")]
    await library.sent(1)
    library.answers[0].set_exception(KafkaConnectionError("away"))
    first, second = await asyncio.gather(*answers, return_exceptions=True)
    assert isinstance(first, KafkaConnectionError)
    assert isinstance(second, KafkaConnectionError)


async def test_an_unknown_topic_fails_what_is_for_it(producer: BatchingProducer, library: Library) -> None:
    library.unknown = True
    with pytest.raises(UnknownTopicOrPartitionError):
        await send(producer, b"1")


async def test_a_topic_that_has_no_partitions_yet_fails_what_is_for_it(
    producer: BatchingProducer, library: Library
) -> None:
    library.partitions = 0
    with pytest.raises(UnknownTopicOrPartitionError):
        await send(producer, b"1")


async def test_stopping_fails_what_was_not_sent_yet(producer: BatchingProducer, library: Library) -> None:
    sent = send(producer, b"1")
    await library.sent(1)
    behind = send(producer, b"2")
    await asyncio.sleep(0.01)
    gathered = send(producer, b"3")
    await producer.stop()
    for each in (behind, gathered):
        with pytest.raises(ProducerClosed):
            await each
    library.acknowledge()
    await sent
