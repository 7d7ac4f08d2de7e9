"""A lost database is restored from the topic and the inputs, with the same events under the same ids."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tallies import ADDED, MOMENT, TALLY, TOPIC, Add, Added, Tally, add, evolve

from chassis import mongo
from chassis.aggregates import Aggregates, Applied, Duplicate, MongoDocuments
from chassis.aggregates.apply import MAX_LINES
from chassis.aggregates.document import OutboxEntry
from chassis.delivery.records import RawRecord
from chassis.recovery.rebuild import AheadOfTopic, EventsMissing, Rebuild
from chassis.settings import MongoSettings
from chassis.testing import ManualClock, MemoryDocuments, RecordingOutbox, in_memory
from contracts.envelope import Envelope
from launcher.infrastructure import Infrastructure

Tallies = Aggregates[Tally, Add, Added]


class TimedMessages:
    """The sample's messages, with the moment of the decision in them."""

    def encode(self, event: Added, state: Tally) -> tuple[str, bytes]:
        due = event.due.isoformat() if event.due else ""
        return ADDED, json.dumps({"amount": event.amount, "due": due}).encode()

    def decode(self, type: str, data: bytes) -> Added:  # noqa: A002 - the port's name
        read = json.loads(data)
        return Added(read["amount"], datetime.fromisoformat(read["due"]) if read["due"] else None)


def decide_thrice(state: Tally | None, command: Add, now: datetime) -> Sequence[Added]:
    """Three events that depend on the state before them and on the moment."""
    total = state.total if state else 0
    return [Added(command.amount + total + number, now) for number in range(3)] if command.amount else []


THRICE = replace(TALLY, decide=decide_thrice, evolve=evolve, messages=TimedMessages())


class World:
    """A service before and after its database was lost."""

    def __init__(self, type_: Any = THRICE) -> None:
        self.type = type_
        self.clock = ManualClock(MOMENT)
        self.documents = MemoryDocuments()
        self.tallies: Tallies
        self.tallies, self.outbox = in_memory(type_, topic=TOPIC, clock=self.clock, documents=self.documents)
        self.lost = self.documents, self.outbox

    async def lose_database(self, published: Sequence[OutboxEntry], *, batch: int = 1000) -> None:
        """Start with an empty database an hour later, and fold in the published events."""
        self.lost = self.documents, self.outbox
        await self.clock.advance(hours=1)
        self.documents = MemoryDocuments()
        self.outbox = RecordingOutbox()
        self.tallies, _ = in_memory(
            self.type, topic=TOPIC, clock=self.clock, documents=self.documents, outbox=self.outbox
        )
        await self.rebuild(published, batch=batch)

    async def rebuild(self, published: Sequence[OutboxEntry], *, batch: int = 1000) -> int:
        folding = Rebuild([self.tallies])
        for first in range(0, len(published), batch):
            await folding.fold([record(entry, first) for entry in published[first : first + batch]])
        folding.finish()
        return folding.folded

    def is_as_lost(self) -> bool:
        """Same state, same events of the same causes."""

        def essence(documents: MemoryDocuments) -> Any:
            return {
                id_: (each["state"], each["seq"], {line["cause"]: line["events"] for line in each["history"]})
                for id_, each in documents.stored.items()
            }

        return bool(essence(self.documents) == essence(self.lost[0]))


def record(entry: OutboxEntry, offset: int) -> RawRecord:
    """The record of a published entry."""
    envelope = Envelope(
        id=entry["id"],
        source="/trade/tallies",
        type=entry["type"],
        time=entry["time"],
        subject=entry["id"].rpartition("/")[0],
        sequence=entry["seq"],
        partitionkey=entry["key"],
        causationid=entry["cause"],
        actor=entry["by"],
    )
    headers = tuple(envelope.headers())
    return RawRecord(TOPIC.name, 0, offset, entry["key"].encode(), headers, entry["data"].encode(), 0)


@pytest.mark.parametrize("published", range(7))
async def test_what_was_saved_and_not_yet_published_comes_back_under_the_same_ids(published: int) -> None:
    world = World()
    inputs = [add("T-1", "c-0", 0), add("T-1", "c-1", 1), add("T-1", "c-2", 2)]
    await world.tallies.apply(inputs)
    said = world.outbox.published
    await world.lose_database(said[:published])
    await world.tallies.apply(inputs)
    again = world.outbox.published
    assert [entry["id"] for entry in again] == [entry["id"] for entry in said[published:]], "nothing is said twice"
    begun = {entry["cause"] for entry in said[:published]}
    as_said = {entry["id"]: (entry["data"], entry["time"]) for entry in said}
    for entry in again:
        if entry["cause"] in begun:
            assert (entry["data"], entry["time"]) == as_said[entry["id"]], "what was begun is decided as of then"
    tally = await world.tallies.get("T-1")
    assert tally is not None
    assert tally.order == (1, 2, 3, 8, 9, 10)


@pytest.mark.infra
async def test_the_real_store_completes_what_was_begun_too(infrastructure: Infrastructure) -> None:
    world = World()
    await world.tallies.apply([add("T-1", "c-1", 1)])
    said = world.outbox.published
    client = mongo.connect(MongoSettings.model_validate({"url": infrastructure.mongo_url}))
    database = mongo.open_database(client, f"rebuild-{uuid.uuid4().hex[:12]}")
    documents = MongoDocuments(database["tallies"])
    fresh, outbox = in_memory(THRICE, topic=TOPIC, clock=world.clock, documents=documents)
    for published in (said[:1], said[:2]):
        folding = Rebuild([fresh])
        await folding.fold([record(entry, 0) for entry in published])
        folding.finish()
    assert isinstance(await fresh.apply_one(add("T-1", "c-1", 1)), Applied)
    assert isinstance(await fresh.apply_one(add("T-1", "c-1", 1)), Duplicate)
    assert [entry["id"] for entry in outbox.published] == ["T-1/0.3"]
    stored = (await documents.load(["T-1"]))["T-1"]
    assert [line["events"] for line in stored["history"]] == [["T-1/0.1", "T-1/0.2", "T-1/0.3"]]
    assert "rebuilt" not in stored
    assert [entry["seq"] for entry in stored["outbox"]] == [3]
    await client.drop_database(database.name)
    await client.close()


async def test_what_was_published_whole_is_not_decided_again() -> None:
    world = World()
    inputs = [add("T-1", "c-1", 1), add("T-1", "c-2", 2)]
    await world.tallies.apply(inputs)
    await world.lose_database(world.outbox.published)
    assert [type(each) for each in await world.tallies.apply(inputs)] == [Duplicate, Duplicate]
    assert world.outbox.published == []
    assert world.is_as_lost()
    assert "rebuilt" not in world.documents.stored["T-1"], "what was proven whole needs no memory of the state before"


async def test_another_input_before_the_interrupted_one_costs_neither_its_events() -> None:
    world = World()
    await world.tallies.apply([add("T-1", "c-1", 1)])
    await world.lose_database(world.outbox.published[:1])
    first = await world.tallies.apply_one(add("T-1", "d-1", 5))
    second = await world.tallies.apply_one(add("T-1", "c-1", 1))
    assert isinstance(first, Applied)
    assert isinstance(second, Applied)
    assert second.events == ("T-1/0.5", "T-1/0.6")
    assert isinstance(await world.tallies.apply_one(add("T-1", "c-1", 1)), Duplicate)
    tally = await world.tallies.get("T-1")
    assert tally is not None
    assert tally.order == (1, 6, 7, 8, 2, 3)


@pytest.mark.parametrize("batch", [1, 2, 4])
async def test_a_cause_whose_events_are_read_in_several_batches_is_one_line(batch: int) -> None:
    world = World()
    await world.tallies.apply([add(f"T-{number % 2}", f"c-{number}", number) for number in range(1, 5)])
    published = sorted(world.outbox.published, key=lambda entry: entry["seq"])  # the documents' events interleaved
    await world.lose_database(published, batch=batch)
    assert world.is_as_lost()
    assert all(len(each["history"]) == 2 for each in world.documents.stored.values())


async def test_events_that_stand_in_two_partitions_are_folded_in_their_order() -> None:
    world = World()
    await world.tallies.apply([add("T-1", "c-1", 1), add("T-1", "c-2", 2)])
    published = world.outbox.published
    await world.lose_database([*published[3:], *published[:3]], batch=2)
    assert world.is_as_lost()


async def test_a_rebuild_done_again_finds_nothing_to_do() -> None:
    world = World()
    await world.tallies.apply([add("T-1", "c-1", 1)])
    said = world.outbox.published
    await world.lose_database(said)
    assert await world.rebuild(said) == 0
    assert world.is_as_lost()


async def test_a_hole_is_told_and_not_folded_over() -> None:
    world = World()
    await world.tallies.apply([add("T-1", "c-1", 1)])
    said = world.outbox.published
    with pytest.raises(EventsMissing, match="event 3"):
        await world.lose_database([said[0], said[2]])


async def test_a_raised_epoch_goes_on_counting() -> None:
    world = World()
    await world.tallies.apply([add("T-1", "c-1", 1)])
    said = list(world.outbox.published)
    raised = Aggregates(THRICE, MemoryDocuments(), outbox := RecordingOutbox(), world.clock, topic=TOPIC.name, epoch=1)
    folding = Rebuild([raised])
    await folding.fold([record(entry, 0) for entry in said[:3]])
    folding.finish()
    await raised.apply([add("T-1", "c-1", 1), add("T-1", "c-2", 2)])
    assert [entry["id"] for entry in outbox.published] == ["T-1/1.4", "T-1/1.5", "T-1/1.6"]
    world.outbox.published = [*said, *outbox.published]
    await world.lose_database(world.outbox.published)
    assert world.documents.stored["T-1"]["seq"] == 6


async def test_a_long_history_is_as_short_in_the_document_as_it_was() -> None:
    world = World(replace(TALLY, messages=TimedMessages()))
    inputs = [add("T-1", f"c-{number}") for number in range(MAX_LINES + 50)]
    await world.tallies.apply(inputs)
    await world.lose_database(world.outbox.published)
    assert len(world.documents.stored["T-1"]["history"]) < MAX_LINES
    assert {type(each) for each in await world.tallies.apply(inputs)} == {Duplicate}


async def test_a_type_that_is_alone_on_its_topic_owns_all_of_it_whatever_its_name() -> None:
    world = World(replace(THRICE, name="receipt"))
    await world.tallies.apply([add("T-1", "c-1", 1)])
    await world.lose_database(world.outbox.published)
    assert world.is_as_lost()


async def test_a_topic_that_has_lost_its_tail_is_told() -> None:
    world = World()
    await world.tallies.apply([add("T-1", "c-1", 1), add("T-2", "c-2", 1)])
    said = world.outbox.published
    await world.documents.trim({"T-1": 3, "T-2": 1})
    folding = Rebuild([world.tallies])
    await folding.fold([record(entry, 0) for entry in said if entry["id"] not in {"T-1/0.3", "T-2/0.2", "T-2/0.3"}])
    folding.finish()
    with pytest.raises(AheadOfTopic, match="1 of tally know events that it does not have, T-1 the first"):
        await folding.check_tail()


async def test_what_is_unsent_is_no_lost_tail() -> None:
    world = World()
    await world.tallies.apply([add("T-1", "c-1", 1)])
    folding = Rebuild([world.tallies])
    await folding.fold([record(entry, 0) for entry in world.outbox.published[:1]])
    await folding.check_tail()
