"""One contract for both stores of aggregate documents: in memory and over MongoDB's wire protocol."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from pymongo import AsyncMongoClient, UpdateMany
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from tallies import MOMENT, TALLY, TOPIC, Add, Added, Tally, add

from chassis import mongo
from chassis.aggregates import Aggregates, Applied, Blocked, Conflict, Duplicate, Failed, MongoDocuments
from chassis.aggregates.change import Change
from chassis.aggregates.mongo import TRIM_AT_ONCE, TRIMS_AT_ONCE
from chassis.aggregates.store import Documents
from chassis.settings import MongoSettings
from chassis.testing import ManualClock, MemoryDocuments, RecordingOutbox, in_memory
from launcher.infrastructure import Infrastructure

Tallies = Aggregates[Tally, Add, Added]


@pytest.fixture
def memory_documents() -> Documents:
    return MemoryDocuments()


@pytest.fixture
async def mongo_documents(infrastructure: Infrastructure) -> AsyncIterator[Documents]:
    client = mongo.connect(MongoSettings(url=infrastructure.mongo_url))
    name = f"documents-{uuid.uuid4().hex[:12]}"
    stored = MongoDocuments(mongo.open_database(client, name)["tallies"])
    await stored.create_indexes(TALLY)
    yield stored
    await client.drop_database(name)
    await client.close()


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.infra)])
def documents(request: pytest.FixtureRequest) -> Documents:
    found: Documents = request.getfixturevalue(f"{request.param}_documents")
    return found


def over(documents: Documents, clock: ManualClock | None = None) -> tuple[Tallies, RecordingOutbox]:
    return in_memory(TALLY, topic=TOPIC, clock=clock, documents=documents)


async def test_state_history_and_outbox_are_saved_together(documents: Documents) -> None:
    tallies, outbox = over(documents)
    assert await tallies.apply_one(add("T-1", "c-1", 3)) == Applied(Tally(3, (3,)), ("T-1/0.1",))
    stored = (await documents.load(["T-1"]))["T-1"]
    assert stored["state"]["total"] == 3
    assert [(line["cause"], line["by"], line["events"]) for line in stored["history"]] == [
        ("c-1", "staff:test", ["T-1/0.1"])
    ]
    assert [entry["id"] for entry in stored["outbox"]] == ["T-1/0.1"] == [each["id"] for each in outbox.published]


async def test_saving_nothing_is_harmless(documents: Documents) -> None:
    assert await documents.save([], "token") == set()


async def test_redelivery_applies_once_even_when_it_changed_nothing(documents: Documents) -> None:
    tallies, outbox = over(documents)
    await tallies.apply([add("T-1", "c-1", 3), add("T-1", "c-2", 0)])
    again = await tallies.apply([add("T-1", "c-2", 0), add("T-1", "c-1", 3)])
    assert [type(each) for each in again] == [Duplicate, Duplicate]
    assert (await tallies.get("T-1")) == Tally(3, (3,))
    assert len(outbox.published) == 1


async def test_a_late_first_copy_is_not_taken_for_a_duplicate(documents: Documents) -> None:
    tallies, _ = over(documents)
    await tallies.apply([add("T-1", "c-2", 2)])
    assert isinstance(await tallies.apply_one(add("T-1", "c-1", 1)), Applied)


async def test_same_id_with_other_content_is_a_conflict(documents: Documents) -> None:
    tallies, _ = over(documents)
    await tallies.apply_one(add("T-1", "c-1", content="a"))
    assert isinstance(await tallies.apply_one(add("T-1", "c-1", content="b")), Conflict)


async def test_refusal_blocks_what_follows_for_its_target_and_nobody_else(documents: Documents) -> None:
    tallies, _ = over(documents)
    outcomes = await tallies.apply(
        [add("T-1", "c-1", 1), add("T-1", "c-2", -1), add("T-2", "c-3", 5), add("T-1", "c-4", 4)]
    )
    assert [type(each) for each in outcomes] == [Applied, Failed, Applied, Blocked]
    assert (await tallies.get("T-1")) == Tally(1, (1,))
    assert (await tallies.get("T-2")) == Tally(5, (5,))


async def test_of_two_writers_one_wins_and_the_other_does_its_work_again(documents: Documents) -> None:
    first, _ = over(documents)
    await first.apply_one(add("T-1", "c-0", 10))
    rival, _ = over(documents)
    tallies, _ = over(_Racing(documents, rival))
    outcomes = await tallies.apply([add("T-1", "c-1", 1), add("T-2", "c-2", 2)])
    assert [type(each) for each in outcomes] == [Applied, Applied]
    assert (await tallies.get("T-1")) == Tally(111, (10, 100, 1))
    assert (await tallies.get("T-2")) == Tally(102, (100, 2))
    stored = await documents.load(["T-1", "T-2"])
    assert [[entry["seq"] for entry in stored[id_]["outbox"]] for id_ in ("T-1", "T-2")] == [[1, 2, 3], [1, 2]]


async def test_what_is_there_though_taken_for_unseen_ends_as_if_it_had_been_looked_for(documents: Documents) -> None:
    tallies, outbox = over(documents)
    await tallies.apply([add("T-1", "c-1", 1), add("T-4", "c-1", 1)])
    outcomes = await tallies.apply(
        [
            add("T-1", "c-1", 1),
            add("T-2", "c-2", 2),
            add("T-1", "c-3", 3),
            add("T-3", "c-4", -1),
            add("T-4", "c-5", 5),
            add("T-4", "c-6", -6),
            add("T-4", "c-7", 7),
        ],
        unseen=True,
    )
    assert [type(each) for each in outcomes] == [Duplicate, Applied, Applied, Failed, Applied, Failed, Blocked]
    assert [await tallies.get(id_) for id_ in ("T-1", "T-2", "T-3", "T-4")] == [
        Tally(4, (1, 3)), Tally(2, (2,)), None, Tally(6, (1, 5)),
    ]  # fmt: skip
    assert sorted(each["id"] for each in outbox.published) == ["T-1/0.1", "T-1/0.2", "T-2/0.1", "T-4/0.1", "T-4/0.2"]


async def test_what_is_unseen_is_not_looked_for() -> None:
    documents = MemoryDocuments()
    tallies, _ = over(_NeverLoaded(documents))
    await tallies.apply([add("T-1", "c-1", 1), add("T-1", "c-2", 2)], unseen=True)
    assert documents.stored["T-1"]["state"]["total"] == 3


class _Through:
    """A wrapper around another store."""

    def __init__(self, inner: Documents) -> None:
        self._inner = inner
        self.load, self.find = inner.load, inner.find
        self.trim, self.unsent = inner.trim, inner.unsent
        self.older_causes, self.move_history = inner.older_causes, inner.move_history


class _NeverLoaded(_Through):
    """A store that must not be queried."""

    def __init__(self, inner: Documents) -> None:
        super().__init__(inner)
        self.save = inner.save
        self.load = self._refuse

    async def _refuse(self, ids: Sequence[str]) -> dict[str, Any]:
        raise AssertionError(f"looked for {ids}")


class _Racing(_Through):
    """A store in which a rival saves both documents between the load and the save, once."""

    def __init__(self, inner: Documents, rival: Tallies) -> None:
        super().__init__(inner)
        self._rival: Tallies | None = rival

    async def save(self, changes: Sequence[Change], token: str) -> set[str]:
        if (rival := self._rival) is not None:
            self._rival = None
            await rival.apply([add("T-1", "r-1", 100), add("T-2", "r-2", 100)])
        return await self._inner.save(changes, token)


async def test_a_lost_answer_is_recognised_as_the_own_save_when_the_batch_comes_again(documents: Documents) -> None:
    tallies, outbox = over(_Forgetful(documents))
    with pytest.raises(ConnectionError):
        await tallies.apply_one(add("T-1", "c-1", 1))
    assert outbox.published == []
    assert isinstance(await tallies.apply_one(add("T-1", "c-1", 1)), Duplicate)
    assert [entry["id"] for entry in outbox.published] == ["T-1/0.1"]


class _Forgetful(_Through):
    """A store that saves, and whose first answer is lost."""

    def __init__(self, inner: Documents) -> None:
        super().__init__(inner)
        self._lost = False

    async def save(self, changes: Sequence[Change], token: str) -> set[str]:
        saved = await self._inner.save(changes, token)
        if not self._lost:
            self._lost = True
            raise ConnectionError("the answer is lost")
        return saved


async def test_deadlines_and_keys_come_change_stay_and_go(documents: Documents) -> None:
    tallies, _ = over(documents)
    later = MOMENT + timedelta(days=1)
    seen = []
    for number, due in enumerate((None, MOMENT, MOMENT, later, None, None)):
        tallies.type = replace(TALLY, key=lambda _, number=number: f"key-{number // 2}")  # type: ignore[misc]
        await tallies.apply_one(add("T-1", f"c-{number}", due=due))
        stored = (await documents.load(["T-1"]))["T-1"]
        seen.append((stored["key"], stored.get("due_at"), "try_after" in stored, stored["schema"]))
    assert seen == [
        ("key-0", None, False, 1),
        ("key-0", MOMENT, False, 1),
        ("key-1", MOMENT, False, 1),
        ("key-1", later, False, 1),
        ("key-2", None, False, 1),
        ("key-2", None, False, 1),
    ]
    assert "due_at" not in (await documents.load(["T-1"]))["T-1"]


class Updates(CommandListener):
    """The updates that a database was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "update":
            self.sent += [dict(each["u"]) for each in event.command["updates"]]

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


@pytest.mark.infra
async def test_a_save_writes_no_field_that_stays_the_same(infrastructure: Infrastructure) -> None:
    updates, name = Updates(), f"documents-{uuid.uuid4().hex[:12]}"
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        infrastructure.mongo_url, tz_aware=True, event_listeners=[updates]
    )
    tallies, _ = over(MongoDocuments(mongo.open_database(client, name)["tallies"]))
    await tallies.apply_one(add("T-1", "c-1", 1))
    await tallies.apply_one(add("T-1", "c-2", 2))
    (update,) = updates.sent
    assert sorted(update["$set"]) == ["outbox", "seq", "state.order", "state.total", "version"]
    assert sorted(update) == ["$push", "$set"]
    await client.drop_database(name)
    await client.close()


async def test_trim_drops_what_is_acknowledged_and_keeps_the_rest(documents: Documents) -> None:
    tallies, _ = over(documents)
    await tallies.apply([add("T-1", f"c-{number}") for number in range(3)])
    await documents.trim({"T-1": 2, "T-absent": 9})
    assert [entry["seq"] for entry in (await documents.load(["T-1"]))["T-1"]["outbox"]] == [3]


async def test_unsent_finds_documents_by_the_age_of_their_entries(documents: Documents) -> None:
    clock = ManualClock(MOMENT)
    tallies, _ = over(documents, clock)
    await tallies.apply_one(add("T-old", "c-1"))
    await clock.advance(seconds=10)
    await tallies.apply_one(add("T-new", "c-2"))
    await tallies.apply_one(add("T-sent", "c-3"))
    await documents.trim({"T-sent": 1})
    assert [each.id for each in await tallies.unsent(timedelta(seconds=5), 10)] == ["T-old"]
    await clock.advance(seconds=1)
    found = await tallies.unsent(timedelta(0), 10)
    assert {each.id for each in found} == {"T-old", "T-new"}
    assert {each.key for each in found} == {"key"}


class Recording:
    """The part of a collection that a trim uses; records how many documents each command names."""

    name = "tallies"

    def __init__(self) -> None:
        self.named: list[int] = []
        self.database = {"tallies_history": self}

    async def bulk_write(self, operations: Sequence[UpdateMany], *, ordered: bool) -> None:
        assert not ordered
        self.named.append(sum(len(each._filter["_id"]["$in"]) for each in operations))


async def test_many_quiet_documents_are_trimmed_by_commands_of_bounded_length() -> None:
    collection = Recording()
    await MongoDocuments(cast(Any, collection)).trim({f"T-{number}": 1 + number % 3 for number in range(1_000)})
    assert sum(collection.named) == 1_000
    assert max(collection.named) <= TRIM_AT_ONCE * TRIMS_AT_ONCE


async def test_deadlines_and_pending_work_are_found_and_forgotten(documents: Documents) -> None:
    tallies, _ = over(documents)
    await tallies.apply([add("T-1", "c-1", due=MOMENT), add("T-2", "c-2", waiting=MOMENT), add("T-3", "c-3")])
    assert [each["_id"] for each in await documents.find({"due_at": {"$lte": MOMENT}})] == ["T-1"]
    assert [each["_id"] for each in await documents.find({"try_after": {"$lte": MOMENT}})] == ["T-2"]
    await tallies.apply([add("T-1", "c-4"), add("T-2", "c-5")])
    assert await documents.find({"$or": [{"due_at": {"$exists": True}}, {"try_after": {"$exists": True}}]}) == []


async def test_find_sorts_limits_and_looks_into_the_state(documents: Documents) -> None:
    tallies, _ = over(documents)
    await tallies.apply([add("T-1", "c-1", 5), add("T-2", "c-2", 7), add("T-3", "c-3", 9)])
    found = await tallies.find({"state.total": {"$gte": 6}}, sort=[("state.total", -1)], limit=1)
    assert [each.total for each in found] == [9]
    assert [each.total for each in await tallies.find({"state.order": 7})] == [7]


async def test_find_reads_only_the_fields_that_are_asked_for(documents: Documents) -> None:
    tallies, _ = over(documents)
    await tallies.apply([add("T-1", "c-1", 5)])
    assert await documents.find({}, fields=("state.total", "version")) == [
        {"_id": "T-1", "version": 1, "state": {"total": 5}}
    ]
    assert await documents.find({}, fields=("due_at",)) == [{"_id": "T-1"}]


async def test_a_release_that_only_reads_a_schema_keeps_it(documents: Documents) -> None:
    newer, _ = in_memory(replace(TALLY, schema=2), topic=TOPIC, documents=documents)
    await newer.apply_one(add("T-1", "c-1", 1))
    learned, _ = in_memory(replace(TALLY, reads=2), topic=TOPIC, documents=documents)
    await learned.apply([add("T-1", "c-2", 2), add("T-2", "c-3", 3)])
    assert await learned.get("T-1") == Tally(3, (1, 2))
    assert {id_: each["schema"] for id_, each in (await documents.load(["T-1", "T-2"])).items()} == {"T-1": 2, "T-2": 1}


async def test_a_document_of_a_newer_release_is_left_alone(documents: Documents) -> None:
    newer, _ = in_memory(replace(TALLY, schema=2), topic=TOPIC, documents=documents)
    await newer.apply_one(add("T-1", "c-1"))
    before = await documents.load(["T-1"])
    tallies, _ = over(documents)
    assert isinstance(await tallies.apply_one(add("T-1", "c-2")), Failed)
    assert await documents.load(["T-1"]) == before
