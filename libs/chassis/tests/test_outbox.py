"""No event is lost, and events of one document are never reordered, on the way to Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError
from tallies import MOMENT, TALLY, TOPIC, add

from chassis.aggregates import Aggregates
from chassis.aggregates.document import OutboxEntry
from chassis.aggregates.store import Unsent
from chassis.clock import SystemClock
from chassis.publishing.hand_over import TOGETHER, TOGETHER_BYTES
from chassis.publishing.producer import Heard, Message
from chassis.publishing.publisher import SEND_SECONDS, WATCH_SECONDS, Publisher
from chassis.testing import ManualClock, MemoryDocuments, eventually


class Broker:
    """The records on the topic, and the failures to answer with."""

    def __init__(self) -> None:
        self.wire: list[str] = []
        self.handed: list[list[str]] = []
        """Messages that were handed over together, whatever the result."""
        self.alone: list[str] = []
        """Hand-overs with their own batch."""
        self.answer: Callable[[str], Exception | None] = lambda _: None
        self.lose_answer: Callable[[str], bool] = lambda _: False
        self.hold = asyncio.Event()
        self.hold.set()
        self.producers = 0

    def producer(self) -> "Producer":
        self.producers += 1
        return Producer(self)


class Producer:
    """A producer for the broker above; it fails if a document is in transit twice."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.in_flight: set[str] = set()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def send(self, topic: str, key: bytes, messages: Sequence[Message], heard: Heard, *, alone: bool = False) -> None:
        ids = [dict(headers)["ce_id"].decode() for _, headers in messages]
        document = ids[0].split("/")[0]
        assert document not in self.in_flight, f"{document} is in flight twice"
        self._broker.handed.append(ids)
        self._broker.alone += ids if alone else []
        self.in_flight.add(document)
        asyncio.ensure_future(self._deliver(ids, document)).add_done_callback(lambda told: heard(told.exception()))

    async def _deliver(self, ids: Sequence[str], document: str) -> None:
        await self._broker.hold.wait()
        self.in_flight.discard(document)
        if errors := [error for id_ in ids if (error := self._broker.answer(id_)) is not None]:
            raise errors[0]
        self._broker.wire += ids
        if any(self._broker.lose_answer(id_) for id_ in ids):
            raise KafkaConnectionError("the answer is lost")


class Documents:
    """A source with its outboxes in a dictionary."""

    topic = "tallies.events.v1"

    def __init__(self) -> None:
        self.outboxes: dict[str, list[OutboxEntry]] = {}
        self.trimmed: list[tuple[str, int]] = []

    async def trim(self, acknowledged: Mapping[str, int]) -> None:
        self.trimmed += acknowledged.items()
        for id_, seq in acknowledged.items():
            self.outboxes[id_] = [each for each in self.outboxes.get(id_, []) if each["seq"] > seq]

    async def unsent(self, older_than: timedelta, limit: int) -> list[Unsent]:
        return [Unsent(id_, "key", entries) for id_, entries in self.outboxes.items() if entries][:limit]


def entries(document: str, *numbers: int) -> list[OutboxEntry]:
    return [
        {
            "seq": number,
            "id": f"{document}/0.{number}",
            "type": "trade.tallies.tally.added.v1",
            "time": MOMENT,
            "cause": "c",
            "by": "staff:test",
            "trace": {},
            "data": "{}",
        }
        for number in numbers
    ]


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
async def publisher(broker: Broker) -> AsyncIterator[Publisher]:
    publisher = Publisher(broker.producer, SystemClock(), source="/trade/tests", max_unsent=5)
    await publisher.start()
    yield publisher
    await publisher.stop(1)


async def on_wire(broker: Broker, *ids: str) -> None:
    async def all_there() -> bool:
        return sorted(broker.wire) == sorted(ids)

    await eventually(all_there, within_seconds=10)


async def test_a_documents_events_go_in_order_one_hand_over_at_a_time(publisher: Publisher, broker: Broker) -> None:
    source = Documents()
    publisher.offer(source, "A", "k", entries("A", 1, 2))
    await asyncio.sleep(0.01)  # they are on their way, or it would be one
    publisher.offer(source, "A", "k", entries("A", 1, 2, 3))
    publisher.offer(source, "B", "k", entries("B", 1))
    await on_wire(broker, "A/0.1", "A/0.2", "A/0.3", "B/0.1")
    assert [each for each in broker.wire if each.startswith("A")] == ["A/0.1", "A/0.2", "A/0.3"]


async def test_what_waits_of_one_document_goes_in_a_row(publisher: Publisher, broker: Broker) -> None:
    publisher.offer(Documents(), "A", "k", entries("A", *range(1, 2 * TOGETHER + 2)))
    await on_wire(broker, *(f"A/0.{number}" for number in range(1, 2 * TOGETHER + 2)))
    assert [len(each) for each in broker.handed] == [TOGETHER, TOGETHER, 1]


async def test_a_row_has_one_key_and_fits_into_a_batch(publisher: Publisher, broker: Broker) -> None:
    given = entries("A", 1, 2, 3, 4, 5)
    given[1]["key"] = given[2]["key"] = "another"
    given[3]["data"] = given[4]["data"] = "x" * (TOGETHER_BYTES - 1)
    publisher.offer(Documents(), "A", "k", given)
    await on_wire(broker, *(f"A/0.{number}" for number in range(1, 6)))
    assert broker.handed == [["A/0.1"], ["A/0.2", "A/0.3"], ["A/0.4"], ["A/0.5"]]


async def test_a_row_of_what_is_no_ascii_fits_into_a_batch_as_well(publisher: Publisher, broker: Broker) -> None:
    given = entries("A", *range(1, 9))
    for each in given:
        each["data"] = "\u8d27" * (TOGETHER_BYTES // 8)
    publisher.offer(Documents(), "A", "k", given)
    await on_wire(broker, *(f"A/0.{number}" for number in range(1, 9)))
    assert [len(each) for each in broker.handed] == [2, 2, 2, 2]


async def test_a_failure_starts_again_at_the_first_unacknowledged(publisher: Publisher, broker: Broker) -> None:
    failures = [KafkaConnectionError("away"), KafkaConnectionError("away")]
    broker.answer = lambda id_: failures.pop() if id_ == "A/0.2" and failures else None
    source = Documents()
    publisher.offer(source, "A", "k", entries("A", 1))
    await on_wire(broker, "A/0.1")
    publisher.offer(source, "A", "k", entries("A", 1, 2, 3))
    await on_wire(broker, "A/0.1", "A/0.2", "A/0.3")
    assert broker.wire == ["A/0.1", "A/0.2", "A/0.3"]
    assert broker.producers > 1, "a producer that failed is suspect"


async def test_a_lost_answer_repeats_and_never_leaves_a_hole(publisher: Publisher, broker: Broker) -> None:
    lost = {"A/0.2"}
    broker.lose_answer = lambda id_: id_ in lost and not lost.discard(id_)  # type: ignore[func-returns-value]
    publisher.offer(Documents(), "A", "k", entries("A", 1, 2, 3))
    await on_wire(broker, *["A/0.1", "A/0.2", "A/0.3"] * 2)
    assert broker.wire == ["A/0.1", "A/0.2", "A/0.3"] * 2


async def test_what_is_not_acknowledged_in_time_goes_out_by_another_producer(broker: Broker) -> None:
    clock = ManualClock()
    publisher = Publisher(broker.producer, clock, source="/trade/tests")
    await publisher.start()
    source = Documents()
    broker.hold.clear()
    publisher.offer(source, "A", "key", entries("A", 1, 2))
    for _ in range(int(SEND_SECONDS)):
        await clock.advance(seconds=WATCH_SECONDS)
    assert broker.producers == 1
    await clock.advance(seconds=2 * WATCH_SECONDS)

    async def another() -> bool:
        return broker.producers == 2

    await eventually(another, within_seconds=5)
    await clock.advance(seconds=WATCH_SECONDS)
    assert broker.producers == 2, "taken back once more, though the next one had no time yet"
    broker.hold.set()
    await on_wire(broker, *["A/0.1", "A/0.2"] * 2)
    assert broker.wire == ["A/0.1", "A/0.2"] * 2, "the first was late, and not lost"
    assert publisher.acknowledged(source, "A") == 2
    await publisher.stop(1)


async def test_what_kafka_refuses_for_good_stops_that_document_only(publisher: Publisher, broker: Broker) -> None:
    broker.answer = lambda id_: MessageSizeTooLargeError() if id_ == "A/0.2" else None
    source = Documents()
    publisher.offer(source, "A", "k", entries("A", 1, 2, 3))
    publisher.offer(source, "B", "k", entries("B", 1, 2))
    await on_wire(broker, "A/0.1", "B/0.1", "B/0.2")
    for number in range(4, 20):
        publisher.offer(source, "A", "k", entries("A", *range(2, number)))
    assert publisher.unsent == 0, "a stuck document does not count towards back-pressure"
    assert not publisher.overloaded


async def test_what_was_refused_with_its_batch_goes_alone_by_another_producer_and_then_in_rows_again(
    publisher: Publisher, broker: Broker
) -> None:
    refusals = [MessageSizeTooLargeError()]  # a neighbour in the batch was meant
    broker.answer = lambda _: refusals.pop() if refusals else None
    source = Documents()
    publisher.offer(source, "A", "k", entries("A", 1, 2))
    await asyncio.sleep(0.01)  # they are on their way, or it would be one
    publisher.offer(source, "A", "k", entries("A", *range(1, 7)))
    await on_wire(broker, *(f"A/0.{number}" for number in range(1, 7)))
    assert [len(each) for each in broker.handed] == [2, 1, 1, 4]
    assert broker.alone == ["A/0.1", "A/0.2"]
    assert broker.producers == 2, "the one that was refused has counted what the broker did not take"


async def test_an_entry_that_cannot_even_be_sent_stops_that_document_only(publisher: Publisher, broker: Broker) -> None:
    source = Documents()
    broken = entries("A", 1)
    del broken[0]["data"]  # type: ignore[misc]  # as no release of ours stores it
    publisher.offer(source, "A", "k", broken)
    publisher.offer(source, "B", "k", entries("B", 1))
    await on_wire(broker, "B/0.1")

    async def nothing_waits() -> bool:
        return publisher.unsent == 0

    await eventually(nothing_waits)


async def test_only_what_is_acknowledged_is_trimmed(publisher: Publisher, broker: Broker) -> None:
    source = Documents()
    source.outboxes = {"A": entries("A", 1, 2, 3)}
    down: list[KafkaError] = [KafkaConnectionError("away")]
    broker.answer = lambda id_: down[0] if id_ == "A/0.3" and down else None
    publisher.offer(source, "A", "k", source.outboxes["A"][:2])
    await on_wire(broker, "A/0.1", "A/0.2")
    publisher.offer(source, "A", "k", source.outboxes["A"])
    assert publisher.acknowledged(source, "A") == 2
    assert source.trimmed == [], "a document with something in flight is trimmed by its own next save"
    down.clear()
    await on_wire(broker, "A/0.1", "A/0.2", "A/0.3")

    async def empty() -> bool:
        return not source.outboxes["A"]

    await eventually(empty)
    assert source.trimmed == [("A", 3)]


async def test_the_next_save_of_a_busy_document_drops_what_is_acknowledged(
    publisher: Publisher, broker: Broker
) -> None:
    documents = MemoryDocuments()
    tallies = Aggregates(TALLY, documents, publisher, SystemClock(), topic=TOPIC.name)
    await tallies.apply_one(add("A", "c-1"))
    await on_wire(broker, "A/0.1")
    await tallies.apply_one(add("A", "c-2"))
    assert [each["seq"] for each in documents.stored["A"]["outbox"]] == [2]


async def test_what_a_killed_predecessor_left_is_sent_at_start(broker: Broker) -> None:
    source = Documents()
    source.outboxes = {"A": entries("A", 4, 5), "B": entries("B", 1)}
    publisher = Publisher(broker.producer, SystemClock(), source="/trade/tests")
    publisher.watch(source)
    await publisher.start()
    await on_wire(broker, "A/0.4", "A/0.5", "B/0.1")
    await publisher.stop(5)
    assert source.outboxes == {"A": [], "B": []}


async def test_too_many_unsent_events_are_overload_and_it_ends(publisher: Publisher, broker: Broker) -> None:
    broker.hold.clear()
    source = Documents()
    for number in range(6):
        publisher.offer(source, f"D{number}", "k", entries(f"D{number}", 1))
    assert publisher.overloaded
    broker.hold.set()
    await on_wire(broker, *(f"D{number}/0.1" for number in range(6)))
    assert not publisher.overloaded


async def test_a_document_that_is_always_busy_is_not_an_old_one(broker: Broker) -> None:
    clock = SystemClock()
    publisher = Publisher(broker.producer, clock, source="/trade/tests", max_unsent_seconds=0.5)
    await publisher.start()
    source = Documents()
    seq, began = 1, clock.monotonic()
    publisher.offer(source, "A", "k", entries("A", 1))
    while clock.monotonic() < began + 1:
        seq += 1
        publisher.offer(source, "A", "k", entries("A", seq))
        await asyncio.sleep(0.001)
        assert not publisher.overloaded
    await publisher.stop(1)


async def test_stop_sends_what_is_unsent_first(broker: Broker) -> None:
    publisher = Publisher(broker.producer, SystemClock(), source="/trade/tests")
    await publisher.start()
    publisher.offer(Documents(), "A", "k", entries("A", 1, 2, 3))
    await publisher.stop(5)
    assert broker.wire == ["A/0.1", "A/0.2", "A/0.3"]
